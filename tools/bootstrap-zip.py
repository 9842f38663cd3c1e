"""Packs a Lambda function's binary: `bootstrap-zip.py BINARY ZIP`. The same binary always gives the same bytes."""

import sys
import zipfile

# The earliest time that the format can say, and the mode that the runtime needs.
TIME = (1980, 1, 1, 0, 0, 0)
MODE = 0o100755
UNIX = 3

binary, packed = sys.argv[1:]
entry = zipfile.ZipInfo("bootstrap", TIME)
entry.create_system = UNIX
entry.external_attr = MODE << 16
entry.compress_type = zipfile.ZIP_DEFLATED
with zipfile.ZipFile(packed, "w") as archive, open(binary, "rb") as source:
    archive.writestr(entry, source.read(), compresslevel=9)
