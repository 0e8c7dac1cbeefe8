
complete -c mcp-reap -n "__fish_seen_subcommand_from explain kill why" -f -a "(mcp-reap completions --instances 2>/dev/null)"
complete -c mcp-reap -n "__fish_seen_subcommand_from list ls" -f -a "(mcp-reap completions --instances 2>/dev/null | string match -r '^.*[^0-9\t].*\t.*')"
# Of the configured servers for which this action can be done: the clients, or the servers of the client that is named.
function __mcp_reap_configured -a action what
    set -l words (commandline -opc)
    set -l client
    if set -l at (contains -i -- --client $words); and test $what = server
        set client $words[(math $at + 1)]
    end
    mcp-reap completions --configured 2>/dev/null | while read -l -d \t does its name
        test $does = $action; or continue
        test -z "$client"; or test $its = "$client"; or continue
        if test $what = client
            echo $its
        else
            printf '%s\t%s\n' $name $its
        end
    end | sort -u
end
complete -c mcp-reap -n "__fish_mcp_reap_using_subcommand wrap; and __fish_seen_subcommand_from install" -l client -x -a "(__mcp_reap_configured install client)"
complete -c mcp-reap -n "__fish_mcp_reap_using_subcommand wrap; and __fish_seen_subcommand_from install" -l server -x -a "(__mcp_reap_configured install server)"
complete -c mcp-reap -n "__fish_mcp_reap_using_subcommand wrap; and __fish_seen_subcommand_from uninstall" -l client -x -a "(__mcp_reap_configured uninstall client)"
complete -c mcp-reap -n "__fish_mcp_reap_using_subcommand wrap; and __fish_seen_subcommand_from uninstall" -l server -x -a "(__mcp_reap_configured uninstall server)"
