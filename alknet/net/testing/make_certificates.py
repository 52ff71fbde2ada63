"""Makes the certificates that alknet/net/testing/peer.h names, in the folder given, with the openssl program."""

import pathlib
import shutil
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
if shutil.which("openssl") is None:
    print("the program openssl is missing")
    sys.exit(1)


def openssl(*arguments, text=None):
    subprocess.run(["openssl", *arguments], check=True, input=text, text=True, cwd=folder, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def authority(name, common_name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", f"/CN={common_name}", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
            "keyUsage=critical,keyCertSign", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def signed(name, common_name, extensions, days="30"):
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            f"/CN={common_name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / f"{name}.ext").write_text(extensions)
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
            "-extfile", f"{name}.ext", "-out", f"{name}.pem")


authority("ca", "alknet test CA")
authority("other_ca", "another CA")
signed("server", "server one", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
signed("client", "client one", "extendedKeyUsage=clientAuth\n")
signed("expired", "server two", "subjectAltName=DNS:localhost,IP:127.0.0.1\n", days="-1")
signed("elsewhere", "server three", "subjectAltName=DNS:elsewhere.example\n")
print("made")
