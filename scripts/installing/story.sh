# What scripts/try-install does in a machine of its own; the bundle is unpacked beside this. Ends with 1 at the
# first thing that is not as it must be.
set -u
cd /root/vigie-*
here=$PWD
fail() { echo "NOT AS IT MUST BE: $*"; exit 1; }
part() { printf '\n### %s\n' "$*"; }
files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /root -o -path /tmp -o -path /run -o -path /dev \
        -o -path /var/log -o -path /var/tmp -o -path /var/cache -o -name __pycache__ \) -prune -o -print | sort
}
# another NAME FILE LINE: a copy of the bundle under /root/NAME, in which FILE has one more line
another() {
    cp -r "$here" "/root/$1"
    cd "/root/$1" || exit 1
    echo "$3" >>"$2"
    python3 - "$2" <<'P'
import glob, shutil, sys, zipfile
changed = sys.argv[1]
for wheel in glob.glob("wheels/*/vigie-*.whl"):
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(wheel + ".new", "w") as new:
        for item in old.infolist():
            data = open(changed, "rb").read() if item.filename == changed else old.read(item)
            if item.filename.endswith("RECORD"):
                data = b"\n".join(line for line in data.split(b"\n") if not line.startswith(changed.encode() + b","))
            new.writestr(item, data)
    shutil.move(wheel + ".new", wheel)
P
}
running() { basename "$(readlink /opt/vigie/current)"; }

files >/root/before
part "install, without a configuration"
scripts/install || fail "exit code"
first=$(running)
part "the same again: nothing changes"
scripts/install >/root/said || fail "exit code"
cat /root/said
! grep -q ^changed /root/said || fail "something changed"

cat >/etc/vigie/vigie.toml <<'T'
[site]
name = "garage"

[[uplink]]
name = "ftth"
kind = "ftth"
operator = "orange"
interface = "eth9"

[[uplink]]
name = "4g"
kind = "cellular"
operator = "free"
interface = "wwan9"
T
part "with a configuration"
scripts/install || fail "exit code"
systemctl is-active vigie || fail "not running"
systemctl status vigie --no-pager | head -9
systemd-analyze verify vigie.service || fail "systemd finds fault with the service"
systemd-analyze security vigie --no-pager | tail -1
systemd-analyze security vigie --no-pager --threshold=20 >/dev/null || fail "exposed more than 2.0"
vigie status | head -3

part "an upgrade"
another next agent/__init__.py "# newer"
scripts/install || fail "exit code"
second=$(running)
[ "$second" != "$first" ] || fail "still the first version"
systemctl is-active vigie || fail "not running"
seqs=$(python3 -c "import sqlite3; print(*sqlite3.connect('/var/lib/vigie/vigie.db').execute('select count(*), max(seq) from events').fetchone())")
echo "events, last number: $seqs"
[ "${seqs% *}" = "${seqs#* }" ] || fail "history has holes"

part "an upgrade that never becomes ready"
another bad agent/app.py "raise SystemExit(3)"
scripts/install && fail "no error"
[ "$(running)" = "$second" ] || fail "not back"
[ "$(ls /opt/vigie/releases | wc -l)" = 2 ] || fail "what did not hold is still there"
systemctl is-active vigie || fail "not running"

part "back to the version before, by hand"
scripts/install --rollback || fail "exit code"
[ "$(running)" = "$first" ] || fail "not back"
systemctl is-active vigie || fail "not running"

part "an upgrade that does not accept the configuration"
sed -i 's/^kind = "cellular"/kind = "celular"/' /etc/vigie/vigie.toml
cd /root/next && scripts/install && fail "no error"
[ "$(running)" = "$first" ] || fail "another version"
systemctl is-active vigie || fail "not running"

part "uninstall"
scripts/install --uninstall || fail "exit code"
[ -e /etc/vigie/vigie.toml ] && [ -e /var/lib/vigie/vigie.db ] || fail "configuration or state are gone"
files | diff /root/before - | grep '^[<>]' | grep -v ' /etc/vigie\| /var/lib/vigie' && fail "not as before"
! getent passwd vigie || fail "the user is still there"
part "nothing is left but configuration and state"
