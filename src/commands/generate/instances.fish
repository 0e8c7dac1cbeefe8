
complete -c mcp-reap -n "__fish_seen_subcommand_from explain kill why" -f -a "(mcp-reap completions --instances 2>/dev/null)"
complete -c mcp-reap -n "__fish_seen_subcommand_from list ls" -f -a "(mcp-reap completions --instances 2>/dev/null | string match -r '^.*[^0-9\t].*\t.*')"
