# Set-up: the Python environment and the system packages. Sourced by ./run, which sets ROOT.
# Stamps in .venv say what is done already, so that a second start asks neither pip nor apt.

VENV=$ROOT/.venv
PY=$VENV/bin/python

declare -A PACKAGES=(
    [runtime]="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-inter fonts-noto-core"
    [stack]="postgresql redis-server"
    [browser]="chromium"
    [tests]="gettext poppler-utils qpdf"
)

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

# Runs a command silently; shows what it said only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    attend "$@" >"$log" 2>&1 || status=$?
    (( status == 0 )) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

is_root() { [[ $(id -u) == 0 ]]; }

# --- Python ------------------------------------------------------------------------------------------------

# The distribution's Python comes first: it is built with every optimisation, which one from the PATH often is not
# (measured here: a quarter less CPU). PYTHON names another. One that can make an environment goes before any.
find_python() {
    local modules candidate
    for modules in "sys, ensurepip, venv" sys; do
        for candidate in ${PYTHON:-} /usr/bin/python3 python3 python3.11 python3.12 python3.13 python3.14; do
            if "$candidate" -c "import $modules; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
                command -v "$candidate"
                return
            fi
        done
    done
    return 1
}

lock_digest() { cat "$ROOT/requirements/tool.txt" "$ROOT/requirements/$1.txt" | sha256sum | cut -d' ' -f1; }

python_is_current() {
    local stamp=$VENV/.installed-$1
    [[ -x $PY && -f $stamp && $(<"$stamp") == "$(lock_digest "$1")" ]]
}

# ensure_python runtime|dev: the virtual environment holds exactly what the lock names.
ensure_python() {
    python_is_current "$1" && return
    exec 9<"$ROOT/run"
    flock 9 # two starts at once build one environment
    python_is_current "$1" || build_python "$1"
    exec 9<&-
}

build_python() {
    local python
    if ! "$PY" -c 'import pip' 2>/dev/null; then
        python=$(find_python) || stop "Python 3.11 or newer is needed, and no python3 here is. On Debian 12: apt-get install python3 python3-venv"
        "$python" -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv ||
            stop "This Python cannot make a virtual environment. As root: apt-get install python3-venv"
        say "Making the virtual environment (.venv)"
        quietly "$python" -m venv --clear "$VENV"
    fi
    rm -f "$VENV"/.installed-*
    say "Installing the locked Python packages ($1)"
    install_locked "$1" || stop "The Python packages could not be installed; the lines above say why."
    lock_digest runtime >"$VENV/.installed-runtime" # the dev lock holds the runtime lock
    lock_digest "$1" >"$VENV/.installed-$1"
}

# uv is quick; where it cannot reach its index, pip, which knows the machine's own settings, does the same slowly.
install_locked() {
    local lock=$ROOT/requirements/$1.txt pip=("$PY" -m pip --disable-pip-version-check install --quiet --require-hashes)
    if quietly "${pip[@]}" -r "$ROOT/requirements/tool.txt"; then
        attend "$VENV/bin/uv" pip install --quiet --python "$PY" --require-hashes -r "$lock" && return
        say "uv could not install them; trying pip"
    fi
    quietly "${pip[@]}" -r "$lock"
}

# --- System packages ---------------------------------------------------------------------------------------

missing_packages() {
    local installed package
    installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
    for package in "$@"; do
        grep -qx "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

install_packages() {
    is_root && command -v apt-get >/dev/null || return 1
    say "Installing system packages: $*"
    [[ -n ${APT_UPDATED:-} ]] || quietly apt-get update || say "apt-get update failed; trying with the lists at hand"
    APT_UPDATED=yes
    DEBIAN_FRONTEND=noninteractive quietly apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"
}

# ensure_packages SET...: they are installed, or this names them and stops.
ensure_packages() {
    install_missing "$@" && return
    say "Missing system packages: ${MISSING[*]}"
    stop "Install them as root, then start again:  apt-get update && apt-get install -y --no-install-recommends ${MISSING[*]}"
}

# offer_packages SET REASON: they are installed if that is possible; else this says what goes without them.
offer_packages() { install_missing "$1" || say "$2 (missing: ${MISSING[*]})"; }

# Installs what is missing of these sets. False when something could not be had; MISSING names it.
install_missing() {
    local set names=()
    MISSING=()
    for set in "$@"; do
        [[ -f $VENV/.packages-$set && $(<"$VENV/.packages-$set") == "${PACKAGES[$set]}" ]] || names+=(${PACKAGES[$set]})
    done
    (( ${#names[@]} )) || return 0
    if ! command -v dpkg-query >/dev/null; then
        say "This is not Debian: see to it yourself that these are installed: ${names[*]}"
    else
        mapfile -t MISSING < <(missing_packages "${names[@]}")
        if (( ${#MISSING[@]} )) && install_packages "${MISSING[@]}"; then
            mapfile -t MISSING < <(missing_packages "${names[@]}")
        fi
    fi
    (( ${#MISSING[@]} == 0 )) || return 1
    for set in "$@"; do printf '%s\n' "${PACKAGES[$set]}" >"$VENV/.packages-$set"; done
}
