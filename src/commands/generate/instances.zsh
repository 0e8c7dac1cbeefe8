
_mcp-reap-instances() {
    local -a instances
    instances=(${(f)"$(mcp-reap completions --instances 2>/dev/null | sed 's/:/\\:/g; s/\t/:/')"})
    _describe -V 'instance' instances
}
_mcp-reap-names() {
    local -a instances
    instances=(${(f)"$(mcp-reap completions --instances 2>/dev/null | grep '^[^0-9]' | sed 's/:/\\:/g; s/\t/:/')"})
    _describe -V 'server' instances
}
# Of the configured servers for which this action can be done: the clients, or the servers of the client that is named.
_mcp-reap-clients() { _mcp-reap-configured client }
_mcp-reap-servers() { _mcp-reap-configured server }
_mcp-reap-configured() {
    local action=install at=${words[(I)--client]} client does its name
    local -aU found
    (( ${words[(I)uninstall]} )) && action=uninstall
    [[ $1 == server ]] && (( at )) && client=${words[at + 1]}
    mcp-reap completions --configured 2>/dev/null | while IFS=$'\t' read -r does its name; do
        [[ $does == $action && ( -z $client || $its == $client ) ]] || continue
        if [[ $1 == client ]]; then found+=($its); else found+=($name); fi
    done
    compadd -- $found
}
