#!/bin/sh
# Build the wheel and the sdist, install the wheel in a clean environment, and use it where the source cannot be seen.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m build --no-isolation --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"${PYTHON:-python3}" -m venv "$work/venv"
wheel=$(ls "$work"/dist/*.whl)
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile "$wheel[aws]"
cp "$root/tests/wheel/installed.py" "$work/installed.py"
cd "$work"
env -i PATH="$work/venv/bin:/usr/bin:/bin" HOME="$work" "$work/venv/bin/python" -I installed.py "$root"
mkdir sdist && tar -xzf dist/*.tar.gz -C sdist --strip-components=1
for needed in schemas migrations config.example.toml LICENSE README.md tests Makefile; do
  test -e "sdist/$needed" || { echo "the sdist lacks $needed" >&2; exit 1; }
done
echo "wheel and sdist: ok"
