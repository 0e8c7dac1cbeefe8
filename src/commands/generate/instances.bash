
_mcp__reap__instances() {
    _mcp__reap "$@"
    if [[ ${COMP_WORDS[1]} == wrap && ( $3 == --client || $3 == --server ) ]]; then
        _mcp__reap__configured "${COMP_WORDS[2]}" "$3" "$2"
        return
    fi
    # A flag, or the value of one.
    [[ $2 == -* || ( $3 == -* && -n ${COMPREPLY[0]-} && ${COMPREPLY[0]} != -* ) ]] && return
    local named='^'
    case "${COMP_WORDS[1]}" in
        list|ls) named='[^0-9]' ;;
        explain|kill|why) ;;
        *) return ;;
    esac
    COMPREPLY=($(compgen -W "$(mcp-reap completions --instances 2>/dev/null | cut -f1 | grep "$named")" -- "$2"))
}
# Of the configured servers for which this action can be done: the clients, or the servers of the client that is named.
_mcp__reap__configured() {
    local client='' i does its name found=$'\n'
    if [[ $2 == --server ]]; then
        for ((i = 3; i < COMP_CWORD; i++)); do
            [[ ${COMP_WORDS[i]} == --client ]] && client=${COMP_WORDS[i + 1]}
        done
    fi
    COMPREPLY=()
    while IFS=$'\t' read -r does its name; do
        [[ $does == "$1" && ( -z $client || $its == "$client" ) ]] || continue
        [[ $2 == --client ]] && name=$its
        [[ $name == "$3"* && $found != *$'\n'"$name"$'\n'* ]] || continue
        found+=$name$'\n'
        COMPREPLY+=("$(printf '%q' "$name")")
    done < <(mcp-reap completions --configured 2>/dev/null)
}
complete -F _mcp__reap__instances -o bashdefault -o default mcp-reap
