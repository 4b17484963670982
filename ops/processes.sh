# Children of ./run. Each has a session of its own, so that Ctrl-C reaches ./run alone and it stops them in order;
# each gets SIGTERM should ./run be killed without a chance to clean up.

APPS=()    # web, workers: stopped first
SERVERS=() # PostgreSQL, Redis: stopped when nobody uses them any more
declare -A NAMES=()
SCRATCH=() # folders that go at the end

# start_app NAME COMMAND..., start_server NAME COMMAND...
start_app() { launch "$@" >&2; APPS+=("$LAUNCHED"); }
start_server() { launch "$@"; SERVERS+=("$LAUNCHED"); }

launch() {
    local name=$1
    shift
    setpriv --pdeathsig TERM setsid env --default-signal=INT "$@" </dev/null &
    LAUNCHED=$!
    NAMES[$LAUNCHED]=$name
}

# Runs one command to its end. A signal to ./run is answered at once, not after the command.
attend() {
    local status=0
    launch "$1" "$@"
    STEP=$LAUNCHED
    wait "$STEP" || status=$?
    STEP=
    return "$status"
}
STEP=
STEP_SIGNAL=TERM # what a step gets when ./run is stopped; pytest closes its report on INT only

# end_processes SIGNAL PID...: ends them and their groups: politely, after 15 s by force.
end_processes() {
    local signal=$1 pid deadline=$((SECONDS + 15))
    shift
    for pid in "$@"; do kill -s "$signal" "$pid" 2>/dev/null; done
    for pid in "$@"; do
        while kill -0 "$pid" 2>/dev/null && (( SECONDS < deadline )); do sleep 0.05; done
        kill -KILL -- "-$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
}

clean_up() {
    trap '' INT TERM HUP
    set +e
    end_processes "$STEP_SIGNAL" $STEP
    end_processes TERM "${APPS[@]}"
    end_processes INT "${SERVERS[@]}" # to PostgreSQL TERM would mean: when the last client has gone
    (( ${#SCRATCH[@]} )) && rm -rf -- "${SCRATCH[@]}"
}

stop_on_signals() {
    # A shell that starts us in the background makes us deaf to SIGINT; a deaf process could not be stopped by Ctrl-C.
    if (( 0x$(sed -n 's/^SigIgn:\s*//p' "/proc/$$/status") & 2 )); then
        exec env --default-signal=INT "$ROOT/run" "$@"
    fi
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
}

new_scratch() {
    NEW_SCRATCH=$(mktemp -d --tmpdir "clearline-$1.XXXXXX")
    SCRATCH+=("$NEW_SCRATCH")
}

# Returns when the first of the web and worker processes has ended, which none should; says which.
wait_for_an_end() {
    local pid
    while sleep 0.5; do
        for pid in "${APPS[@]}"; do
            kill -0 "$pid" 2>/dev/null && continue
            say "Stopped by itself: ${NAMES[$pid]}"
            return
        done
    done
}
