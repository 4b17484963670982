# ./run demo: the home folder, the shop in it, what serves it, one purchase. Sourced by ./run.

# All that Clearline writes to a home; --reset deletes these and nothing else.
HOME_NAMES=(
    clearline.sqlite3 clearline.sqlite3-wal clearline.sqlite3-shm clearline.sqlite3-journal
    cache counts keys mail media staticfiles sandbox-registry.jsonl ledger-epoch.json ledger-epoch.lock demo.json last-purchase.json
    celerybeat-schedule celerybeat-schedule.{db,bak,dat,dir} .ready .setting-up stack
)

run_demo() {
    local once= stack= reset= port=8000
    while (( $# )); do
        case $1 in
            --once) once=yes ;;
            --stack) stack=yes ;;
            --reset) reset=yes ;;
            --port) port=${2:-}; shift || true ;;
            --port=*) port=${1#--port=} ;;
            *) usage >&2; stop "./run demo does not know $1." ;;
        esac
        shift || true
    done
    [[ $port =~ ^[0-9]{1,5}$ ]] && (( 10#$port >= 1 && 10#$port <= 65535 )) || stop "--port takes a number from 1 to 65535."
    [[ -n $once ]] || port_is_free "$port" || stop "Port $port is taken. Choose another:  ./run demo --port $((port + 1))"
    [[ -z $once ]] || exec 3>&1 1>&2 # only the JSON line goes to stdout

    ensure_python runtime
    ensure_packages runtime ${stack:+stack}
    export CLEARLINE_MODE=demo SITE_URL=http://127.0.0.1:$port
    unset CLEARLINE_LIVEMODE
    use_home
    open_home "$reset"
    if [[ -n $stack ]]; then
        open_stack_home
        start_stack
    fi
    prepare_shop
    if [[ -n $once ]]; then play_once "$stack"; else serve "$port" "$stack"; fi
}

port_is_free() { ! (exec 4<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# --- The home ----------------------------------------------------------------------------------------------

# A home is marked by a file that names what was in the folder before; that is never ours to delete.
mark_home() {
    local name
    mkdir -p "$1" || stop "The home $1 cannot be made. Set CLEARLINE_HOME to a folder that you may write to."
    [[ ! -f $1/.clearline ]] || return 0
    {
        echo "This folder is a Clearline home. Named below is what was here before; --reset leaves it alone."
        for name in $(ls -A "$1"); do
            [[ -f $1/keys/secret_key && " ${HOME_NAMES[*]} " == *" $name "* ]] || printf '%s\n' "$name"
        done
    } >"$1/.clearline.new.$$"
    mv "$1/.clearline.new.$$" "$1/.clearline"
}

# Everything that uses a home holds its mark shared; --reset needs it alone.
open_home() {
    local reset=${1:-}
    [[ -z $reset || ! -d $CLEARLINE_HOME || -f $CLEARLINE_HOME/.clearline || -f $CLEARLINE_HOME/keys/secret_key ]] ||
        stop "$CLEARLINE_HOME is not a Clearline home; nothing was deleted."
    mark_home "$CLEARLINE_HOME"
    exec 8<"$CLEARLINE_HOME/.clearline"
    if [[ -n $reset ]]; then
        flock --exclusive --nonblock 8 || stop "A demo is running on $CLEARLINE_HOME. Stop it, then reset; nothing was deleted."
        wipe_home "$CLEARLINE_HOME"
    fi
    flock --shared --nonblock 8 || stop "$CLEARLINE_HOME is just being reset. Start again in a moment."
}

wipe_home() {
    local name
    for name in "${HOME_NAMES[@]}"; do
        grep -qxF -- "$name" "$1/.clearline" || rm -rf -- "${1:?}/$name"
    done
}

# The stack's servers are gone after each run, so its files start afresh too, in a folder of their own.
open_stack_home() {
    CLEARLINE_HOME+=/stack
    mark_home "$CLEARLINE_HOME"
    exec 7<"$CLEARLINE_HOME/.clearline"
    flock --exclusive --nonblock 7 || stop "Another ./run demo --stack is running on this home. Give this one a CLEARLINE_HOME of its own."
    wipe_home "$CLEARLINE_HOME"
}

# --- The shop ----------------------------------------------------------------------------------------------

# Changes when migrations, demo data or the code that loads them could have changed, or the database is another one.
shop_state() {
    local folders=("$ROOT"/*/__init__.py)
    find "${folders[@]%/__init__.py}" -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum |
        cat - <(printf '%s\n' "${DATABASE_URL:-}") | sha256sum | cut -d' ' -f1
}

# Migrations and the demo shop; skipped when this home holds them as this code has them.
prepare_shop() {
    local state ready=$CLEARLINE_HOME/.ready
    mkdir -p "$CLEARLINE_HOME/staticfiles" # empty in a demo; WhiteNoise wants to see it
    state=$(shop_state)
    exec 6>>"$CLEARLINE_HOME/.setting-up"
    flock 6
    if [[ ! -f $ready || $(<"$ready") != "$state" || ( -z ${DATABASE_URL:-} && ! -s $CLEARLINE_HOME/clearline.sqlite3 ) ]]; then
        say "Setting up the demo shop in $CLEARLINE_HOME"
        attend "$PY" "$ROOT/manage.py" demo_setup >&2 || stop "The demo shop could not be set up; the lines above say why."
        printf '%s\n' "$state" >"$ready"
    fi
    exec 6>&-
}

start_celery() {
    start_app "celery worker" "$PY" -m celery --app config --workdir "$ROOT" worker --loglevel INFO --concurrency 2
    start_app "celery beat" "$PY" -m celery --app config --workdir "$ROOT" beat --loglevel INFO --pidfile= \
        --schedule "$CLEARLINE_HOME/celerybeat-schedule"
}

# play_purchase [--work]: plays one purchase to its end; PURCHASE is its JSON line.
play_purchase() {
    local said
    new_scratch purchase
    said=$NEW_SCRATCH/stdout
    attend "$PY" "$ROOT/manage.py" demo_purchase --json "$@" >"$said" || {
        cat "$said" >&2
        stop "The purchase did not reach its end; the lines above say where it stopped."
    }
    PURCHASE=$(tail -n 1 "$said")
    printf '%s\n' "$PURCHASE" >"$NEW_SCRATCH/line"
    mv "$NEW_SCRATCH/line" "$CLEARLINE_HOME/last-purchase.json"
}

play_once() {
    if [[ -n $1 ]]; then
        start_celery >&2
        play_purchase
    else
        play_purchase --work
    fi
    printf '%s\n' "$PURCHASE" >&3
}

serve() {
    local port=$1 stack=$2
    start_app web "$PY" -m gunicorn config.wsgi --chdir "$ROOT" --bind "127.0.0.1:$port" --workers 1 --threads 8 \
        --graceful-timeout 5 --no-control-socket
    wait_for_answer "$port"
    if [[ -n $stack ]]; then start_celery; else start_app worker "$PY" "$ROOT/manage.py" work; fi
    if [[ ! -f $CLEARLINE_HOME/last-purchase.json ]]; then
        say "The shop answers at $SITE_URL/ ; playing one purchase to its end"
        play_purchase
    fi
    trap 'exit 0' INT TERM HUP # from here on, being stopped is how it ends well
    "$PY" "$ROOT/ops/summary.py" "$CLEARLINE_HOME" "$SITE_URL"
    wait_for_an_end
    exit 1
}

wait_for_answer() {
    local port=$1 deadline=$((SECONDS + 60))
    until answers "$port"; do
        kill -0 "${APPS[0]}" 2>/dev/null || stop "The web process stopped; the lines above say why."
        (( SECONDS < deadline )) || stop "The shop did not answer within 60 seconds."
        sleep 0.1
    done
}

answers() {
    (
        exec 4<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET / HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$1" >&4
        read -r -t 10 status <&4
        [[ $status == *" 200 "* ]]
    ) 2>/dev/null
}
