"""An authority of the bay's own, and the certificates of its servers; made at run time, by openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hardware.virtual.netns import NamespaceError
from hardware.virtual.processes import find_program

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs certificates that whoever has its own (``certificate``) can verify."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make its key and its certificate in ``folder``.

        Raises:
            NamespaceError: the program that makes them is missing.
        """
        openssl = find_program("openssl")
        if openssl is None:
            raise NamespaceError("the program openssl is missing (Debian: apt install openssl)")
        self._openssl = openssl
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.certificate = folder / f"{name}.crt"
        usage = ("-addext", "keyUsage=critical,keyCertSign")
        self._run(
            "req", "-x509", *_KEY, "-days", "30", "-subj", f"/CN={name}", *usage,
            "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, host: str, days: int = 20) -> Path:
        """A file with a server's key and its certificate for the name or address ``host``, good for ``days``.

        Raises:
            subprocess.CalledProcessError: openssl makes no such certificate.
        """
        name = f"{host}-{days}"
        key, request, signed, extensions = (
            self._folder / f"{name}.{ending}" for ending in ("key", "csr", "crt", "ext")
        )
        kind = "IP" if host.replace(".", "").isdigit() else "DNS"
        extensions.write_text(f"subjectAltName={kind}:{host}\nkeyUsage=critical,digitalSignature\n")
        self._run("req", *_KEY, "-subj", f"/CN={host}", "-keyout", str(key), "-out", str(request))
        self._run(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey", str(self._key),
            "-CAcreateserial", "-days", str(days), "-extfile", str(extensions), "-out", str(signed),
        )  # fmt: skip
        path = self._folder / f"{name}.pem"
        path.write_bytes(key.read_bytes() + signed.read_bytes())
        return path

    def _run(self, *words: str) -> None:
        command: Sequence[str] = (self._openssl, *words)
        subprocess.run(command, check=True, capture_output=True)
