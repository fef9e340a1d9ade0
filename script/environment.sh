# Sourced by the scripts: finds Python, makes the virtual environment, and sets `root` and `python`.
# Before sourcing, set `needs` to "runtime" or "development".

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

found=
if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then found=$PYTHON; fi
else
    for candidate in python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then found=$candidate && break; fi
    done
fi
if [ -z "$found" ]; then
    echo "script/${0##*/}: Python 3.11, 3.12 or 3.13 is needed, and ${PYTHON:-python3} is not: set PYTHON to one." >&2
    exit 1
fi

python=$("$found" "$root/script/environment.py" "$root" "$needs") || exit 1
# The client is put on the path instead of being installed: no build, no network, and always the checkout's own.
PYTHONPATH=$root:$root/client${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
