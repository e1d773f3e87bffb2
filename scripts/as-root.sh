# shellcheck shell=bash
# Sourced first by the scripts that need root: runs them again with sudo for anyone else.
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: $0 needs root, and there is no sudo" >&2
    echo "hint: run it as root" >&2
    exit 1
  fi
  keep=$(compgen -e | grep -E '^(IMAGECYCLE_|OS_|PIP_|PYTEST_|[a-z]+_proxy$)' | paste -sd,)
  exec sudo ${keep:+"--preserve-env=$keep"} "$(readlink -f "$0")" "$@"
fi
