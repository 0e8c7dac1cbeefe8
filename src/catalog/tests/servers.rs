//! Servers, by their names and by their arguments.

use super::*;

/// Lines, each with the rule that it matches.
#[track_caller]
pub(super) fn table(cases: &[(&str, Option<&str>)]) {
    for (line, by) in cases {
        let argv: Vec<&str> = line.split(' ').collect();
        assert_eq!(rule_of(&argv).as_deref(), *by, "{line}");
    }
}

fn rule_of(argv: &[&str]) -> Option<String> {
    let found = Catalog::builtin().identify(&record(argv))?;
    let Basis::Catalog { rule, .. } = found.basis else { return None };
    matches!(found.role, Role::Server | Role::Launcher).then(|| rule.to_string())
}

#[test]
fn a_name_is_a_server_s_by_its_words() {
    table(&[
        ("/opt/notes-mcp", Some("word mcp")),
        ("/opt/NotesMCP", Some("word mcp")),
        ("/opt/notes-mcp2", Some("word mcp")),
        ("/opt/azmcp", Some("word *mcp")),
        ("/opt/xcodebuildmcp", Some("word *mcp")),
        ("/opt/xmcp", None),
        ("/opt/mcproxy", None),
        ("/opt/create-notes-mcp", None),
        ("/opt/notes-mcp-inspector", None),
    ]);
}

#[test]
fn a_package_is_a_server_by_name_scope_or_words() {
    table(&[
        ("npx supergateway", Some("name supergateway")),
        ("npx @modelcontextprotocol/server-git", Some("scope @modelcontextprotocol")),
        ("npx @modelcontextprotocol/sdk", None),
        ("npx @modelcontextprotocol/create-server", None),
        ("npx @modelcontextprotocol/mcp-agent", None),
        ("npx @acme/notes-mcp", Some("word mcp")),
        ("npx @acme-mcp/notes", Some("word mcp")),
        ("npx @acme/notes", None),
    ]);
}

#[test]
fn a_module_is_a_server_unless_it_is_an_errand_of_one() {
    table(&[
        ("python -m notes_mcp", Some("word mcp")),
        ("python -m notes_mcp.server", Some("word mcp")),
        ("python -m notes_mcp.tests.run", None),
        ("python -m notes_mcp.seed_tables", None),
        ("python -m notes_mcp.tables_seed", None),
        ("python -m notes_mcp_website.main", None),
        ("python -m notes.main", None),
    ]);
}

#[test]
fn an_image_is_a_server_by_its_name_or_by_what_it_is_kept_under() {
    table(&[
        ("docker run mcp/fetch", Some("image mcp/*")),
        ("docker run ghcr.io/acme-mcp/fetch:1", Some("image acme-mcp/*")),
        ("docker run acme/fetch-mcp", Some("word mcp")),
        ("docker run acme/fetch", None),
        ("docker run mcp/inspector", None),
        ("docker run mcp/docs-website", None),
    ]);
}

#[test]
fn a_binary_is_a_server_by_its_name_or_its_project_unless_it_only_looks_so() {
    for (argv, by) in [
        (&["/usr/local/bin/supergateway"][..], Some("name supergateway")),
        (&["/home/u/notes-mcp/target/release/server"], Some("folder notes-mcp")),
        (&["mcp", "a", "b"], None),
        (&["/opt/My MCP Router", "x"], None),
        (&["ray::McpActor"], None),
        (&["/home/u/notes/target/debug/deps/notes_mcp-0a1b2c"], None),
        (&["/usr/lib/systemd/notes-mcp"], None),
        (&["/tmp/notes-mcp.test"], None),
        (&["/opt/notes-mcp", "--type=renderer"], None),
        (&["/opt/notes-mcp", "--type", "x"], Some("word mcp")),
        (&["/opt/mcp-website"], None),
    ] {
        assert_eq!(rule_of(argv).as_deref(), by, "{argv:?}");
    }
}

#[test]
fn a_script_is_a_server_by_its_name_unless_it_is_an_errand_of_one() {
    table(&[
        ("python /home/u/notes_mcp.py", Some("word mcp")),
        ("python /home/u/test_notes_mcp.py", None),
        ("python /home/u/notes_mcp_test.py", None),
        ("bash /home/u/reinstall-mcp.sh", None),
        ("python /home/u/mcp-agent.py", None),
        ("python /home/u/.local/bin/supergateway", Some("name supergateway")),
        ("python /home/u/.local/bin/supergateway.py", None),
        ("python /home/u/.local/bin/shop", None),
        ("python /home/u/x/supergateway", None),
        ("python /home/u/mcp-servers/weather.py", Some("folder mcp-servers")),
        ("python /home/u/servers/weather.py", None),
    ]);
}

#[test]
fn a_file_of_an_installed_package_is_a_server_by_the_package_or_a_part_of_it() {
    table(&[
        ("node /n/node_modules/.bin/notes-mcp", Some("word mcp")),
        ("node /n/node_modules/@acme/notes-mcp/dist/index.js", Some("word mcp")),
        ("node /n/node_modules/notes/bin/notes-mcp.js", Some("word mcp")),
        ("node /n/node_modules/notes/dist/mcp/index.js", Some("word mcp")),
        ("node /n/node_modules/notes/dist/mcp/trace-server.js", Some("word mcp")),
        ("node /n/node_modules/notes/dist/mcp/worker.js", None),
        ("node /n/node_modules/notes/dist/index.js", None),
    ]);
}

#[test]
fn a_plain_name_is_a_server_by_the_folder_of_its_project() {
    table(&[
        ("node /home/u/notes-mcp/dist/index.js", Some("folder notes-mcp")),
        ("node /home/u/mcp/notes/server.js", Some("folder mcp")),
        ("node /opt/mcp/server.js", Some("folder mcp")),
        ("node /srv/mcp/shop/server.js", None),
        ("java -jar /home/u/mcp/server.jar", None),
        ("java -jar /home/u/notes-mcp/server.jar", Some("folder notes-mcp")),
        // About a server, or a server for such things.
        ("node /home/u/notes-mcp/website/server.js", None),
        ("node /home/u/mcp_demo/dist/index.js", None),
        ("node /home/u/mcp-docs/dist/index.js", None),
        ("node /home/u/docs-mcp/dist/index.js", Some("folder docs-mcp")),
        ("node /home/u/website-mcp-server/dist/index.js", Some("folder website-mcp-server")),
        ("node /home/u/demo_mcpserver/dist/index.js", Some("folder demo_mcpserver")),
    ]);
}

#[test]
fn a_task_is_a_server_by_its_name_or_its_project_unless_it_builds_or_tests() {
    table(&[
        ("npm run start:mcp", Some("word mcp")),
        ("npm --prefix /home/u/notes-mcp start", Some("folder notes-mcp")),
        ("npm run build:mcp", None),
        ("npm --prefix /home/u/notes-mcp run dev", None),
        ("npm run start", None),
    ]);
}

#[test]
fn what_it_was_identified_by_names_program_and_rule() {
    let basis = |argv: &[&str]| Catalog::builtin().identify(&record(argv)).unwrap().basis.to_string();
    for (argv, identified) in [
        (&["node", "/srv/notes-mcp/dist/index.js"][..], "/srv/notes-mcp/dist/index.js (folder notes-mcp)"),
        (&["node", "-e", "code", "mcp-worker"], "mcp-worker (word mcp)"),
        (
            &["npx", "-y", "@modelcontextprotocol/server-git@1"],
            "@modelcontextprotocol/server-git@1 (scope @modelcontextprotocol)",
        ),
        (&["python3", "-m", "fastmcp", "run", "x.py"], "fastmcp (mode fastmcp run)"),
        (&["/opt/notes", "--mcp"], "/opt/notes (option --mcp)"),
        (&["/opt/notes", "mcp", "serve"], "/opt/notes (command mcp)"),
        (&["/sbin/init"], "/sbin/init (init init)"),
        (&["tini", "--", "x"], "x (wrapper tini)"),
        (&["/usr/bin/monit"], "/usr/bin/monit (supervisor monit)"),
        (&["/usr/bin/claude"], "/usr/bin/claude (client claude-code)"),
        (&["sh", "-c", "shop --fast"], "shop (wrapper sh)"),
    ] {
        assert_eq!(basis(argv), identified);
    }
}

#[test]
fn a_first_argument_makes_a_server_where_it_is_a_command() {
    for (argv, server) in [
        (&["/opt/shop", "mcp"][..], true),
        (&["/opt/shop", "--port", "1", "mcp"], true),
        (&["/opt/shop", "mcp", "--port", "1"], true),
        (&["/opt/shop", "mcp", "serve"], true),
        (&["/opt/shop", "mcp", "list"], false),
        (&["/opt/shop", "list", "mcp"], false),
        (&["/opt/shop", "--name", "mcp"], false),
        (&["/opt/shop", "--verbose", "mcp"], true),
        (&["/opt/shop", "--name=x", "mcp"], true),
        (&["/opt/shop", "--mcp"], true),
        (&["/opt/shop", "x", "--", "--mcp"], false),
        // What is behind a bare "mcp" of one's own script, a system's program or a window is any text.
        (&["python3", "/srv/shop/run.py", "mcp"], false),
        (&["python3", "/srv/shop/run.py", "mcp", "serve"], true),
        (&["node", "/srv/shop/cli.js", "mcp"], true),
        (&["python3", "/usr/local/bin/shop", "mcp"], true),
        (&["node", "/x/node_modules/shop/run.js", "mcp"], true),
        (&["/usr/bin/shop", "mcp"], false),
        (&["/usr/bin/shop", "mcp", "serve"], true),
        (&["/Applications/Shop.app/Contents/MacOS/Shop", "mcp"], false),
        // A command that only a package is known to have.
        (&["npx", "shop", "mcp-proxy"], true),
        (&["/opt/shop", "mcp-proxy"], false),
        (&["/opt/shop", "shop:mcp"], true),
        (&["php", "artisan", "mcp:start"], true),
        (&["/opt/shop", "mcp:inspect"], false),
        (&["/opt/shop", "mcp:start"], true),
        (&["/opt/shop", "make:mcp"], false),
        (&["/opt/shop", "test:mcp"], false),
        (&["/opt/shop", "create:mcp"], false),
        (&["python3", "/srv/shop/run.py", "shop:mcp"], false),
        (&["npm", "run", "shop", "--mcp"], false),
    ] {
        let found = identified(argv).is_some_and(|(role, _)| matches!(role, Role::Server | Role::Launcher));
        assert_eq!(found, server, "{argv:?}");
    }
}
