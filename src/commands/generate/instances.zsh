
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
