//! The parts that programs play: clients, supervisors, launchers.

use super::*;

#[test]
fn a_script_that_starts_a_server_behind_dashes_is_its_launcher() {
    for (argv, name) in [
        (&["python3", "/home/u/wrap.py", "-v", "--", "npx", "-y", "@acme/notes-mcp"][..], Some("notes-mcp")),
        (&["python3", "/home/u/wrap.py", "--", "node", "/srv/notes-mcp/dist/index.js"], Some("notes-mcp")),
        // A word that runs nothing, a tool's data, nothing at all.
        (&["python3", "/home/u/wrap.py", "--", "notes-mcp"], None),
        (&["python3", "/home/u/wrap.py", "--", "npm", "install", "notes-mcp"], None),
        (&["python3", "/home/u/wrap.py", "--"], None),
        // Programs whose `--` is their own affair.
        (&["/home/u/wrap", "--", "npx", "-y", "@acme/notes-mcp"], None),
        (&["node", "/usr/local/bin/wrap", "--", "npx", "-y", "@acme/notes-mcp"], None),
    ] {
        assert_eq!(identified(argv), name.map(|name| (Role::Launcher, name.to_owned())), "{argv:?}");
    }
}

#[test]
fn a_client_s_idle_processes_are_none() {
    let own = "/Applications/Cursor.app/Contents/Frameworks/Electron Framework.framework/Helpers/x";
    for (argv, client) in [
        (&[own][..], true),
        (&[own, "--type=utility"], true),
        (&[own, "--type=renderer"], false),
        (&["cursor", "--type=renderer"], false),
        (&["/opt/cursor/chrome_crashpad_handler"], false),
    ] {
        assert_eq!(plays(argv, Role::Client), client, "{argv:?}");
    }
}

#[test]
fn a_supervisor_is_a_program_of_that_name_not_a_script_or_package() {
    for (argv, supervises) in [
        (&["/usr/bin/monit", "-I"][..], true),
        (&["/usr/bin/python3", "/usr/bin/honcho", "start"], true),
        (&["python3", "/home/u/honcho.py"], false),
        (&["npx", "pm2", "start"], false),
    ] {
        assert_eq!(plays(argv, Role::Supervisor), supervises, "{argv:?}");
    }
}

#[test]
fn a_client_is_a_program_of_that_name_not_a_script_task_or_image() {
    for (argv, client) in [
        (&["node", "/n/node_modules/@anthropic-ai/claude-code/cli.js"][..], true),
        (&["npx", "-y", "@anthropic-ai/claude-code"], true),
        (&["python3", "/usr/bin/aider"], true),
        (&["python3", "/home/u/claude.py"], false),
        (&["npm", "run", "claude"], false),
        (&["docker", "run", "-i", "acme/claude"], false),
    ] {
        assert_eq!(plays(argv, Role::Client), client, "{argv:?}");
    }
}

#[test]
fn a_script_of_one_s_own_may_be_called_like_a_tool() {
    for (argv, name) in [
        (&["python3", "/home/u/notes-mcp/serve.py"][..], Some("notes-mcp")),
        (&["node", "/home/u/notes-mcp/node_modules/.bin/serve"], None),
        (&["/home/u/notes-mcp/serve"], None),
    ] {
        assert_eq!(identified(argv), name.map(|name| (Role::Server, name.to_owned())), "{argv:?}");
    }
}

#[test]
fn a_server_is_shown_under_the_name_that_all_its_processes_share() {
    for (line, name) in [
        ("npx -y @playwright/mcp@latest", "playwright-mcp"),
        ("npx -y @acme/notes_MCP", "notes-mcp"),
        ("mcp serve", "mcp"),
        ("docker run mcp/fetch", "mcp-fetch"),
        ("docker run mcp/notes-mcp", "notes-mcp"),
        ("docker run mcp/github", "server-github"),
        ("docker run acme-mcp/fetch", "fetch"),
        ("uvx awslabs.cost-mcp-server", "cost-mcp-server"),
        ("npx -y @modelcontextprotocol/server-memory", "server-memory"),
        ("/opt/mcp-server-memory", "server-memory"),
        ("python -m notes.mcp_server.main", "mcp-server"),
        ("node /home/u/notes-mcp/dist/index.js", "notes-mcp"),
        ("claude mcp serve", "claude-mcp"),
    ] {
        let argv: Vec<&str> = line.split(' ').collect();
        assert_eq!(identified(&argv).map(|(_, name)| name).as_deref(), Some(name), "{line}");
    }
}
