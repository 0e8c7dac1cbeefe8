
_mcp__reap__instances() {
    _mcp__reap "$@"
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
complete -F _mcp__reap__instances -o bashdefault -o default mcp-reap
