//! What is called after a server and does something else.

use super::servers::table;

#[test]
fn a_program_named_after_what_it_does_for_a_server_is_none() {
    table(&[
        ("/opt/mcp-server-notes-ingest", None),
        ("/opt/notes-mcp-index", None),
        ("/opt/notes_mcp_train", None),
        ("npx -p mcp-server-notes mcp-server-notes-ingest", None),
        ("uvx --from mcp-server-notes mcp-server-notes-crawl", None),
        ("npx @acme/notes-mcp-migrate", None),
        // What it serves stands there, and nobody whom it works for.
        ("/opt/mcp-server-index", Some("word mcp")),
        ("npx @acme/mcp-index", Some("word mcp")),
        ("/opt/index-notes-mcp", Some("word mcp")),
        ("java -jar /opt/mcp-1.8.jar", None),
        ("java -jar /opt/mcp918.jar", None),
        ("java -jar /opt/mcp-server-1.8.jar", Some("word mcp")),
    ]);
}

#[test]
fn another_program_in_a_servers_package_or_image_is_none() {
    table(&[
        ("npx -p mcp-server-notes vitest", None),
        ("npm exec --package=mcp-server-notes -- tsc -w", None),
        ("pnpm --package=mcp-server-notes dlx eslint .", None),
        ("uvx --from mcp-server-notes ipython", None),
        ("pipx run --spec mcp-server-notes pytest", None),
        ("docker run -i --entrypoint bash mcp/notes", None),
        ("docker run -i --entrypoint pytest mcp/notes -q", None),
        ("docker run -i mcp/notes npm test", None),
        ("docker run -i mcp/notes uv run pytest", None),
        ("podman run -i mcp/notes make test", None),
        ("npx -p mcp-server-notes mcp-server-notes", Some("word mcp")),
        ("npx -p mcp-server-notes notes", Some("word mcp")),
        ("uvx --from git+https://h.example/u/notes-mcp@main notes", Some("word mcp")),
        // What a package is called is its publisher's to say.
        ("npx @notes-mcp/git", Some("word mcp")),
        ("docker run -i mcp/git", Some("image mcp/*")),
        ("docker run -i mcp/notes node dist/index.js", Some("image mcp/*")),
        ("docker run -i mcp/notes npm start", Some("image mcp/*")),
        ("docker run -i mcp/notes /data", Some("image mcp/*")),
        ("docker run -i mcp/notes serve", Some("image mcp/*")),
    ]);
}

#[test]
fn a_name_that_says_what_it_does_for_mcp_is_a_job_and_none() {
    table(&[
        ("/opt/mcp-backup", None),
        ("/opt/mcp-test-runner", None),
        ("/opt/notes-mcp-exporter", None),
        ("/opt/mcp-server-backup", None),
        ("/opt/mcp-installer", None),
        ("npx mcp-sync", None),
        ("python /home/u/mcp_dataset.py", None),
        ("python /home/u/analysis_of_mcp.py", None),
        ("python -m notes_mcp.evaluate", None),
        // A server for such things.
        ("/opt/backup-mcp", Some("word mcp")),
        ("/opt/mcp-shell-server", Some("word mcp")),
        ("npx mcp-server-backup", Some("word mcp")),
        ("npx mcp-installer", Some("word mcp")),
        ("docker run acme/mcp-server-monitor", Some("word mcp")),
        ("node /home/u/mcp-server-monitor/dist/index.js", Some("folder mcp-server-monitor")),
    ]);
}

#[test]
fn a_server_that_is_called_to_do_something_and_end_is_none() {
    for args in [
        "restore x",
        "db migrate",
        "index build",
        "collections import x",
        "-v index d",
        "--db x ingest d",
        "call tool",
        "fetch-models",
        "--import=x",
        "--train",
        "--rebuild-index",
        "--db x --reindex-all",
        "vacuum",
    ] {
        table(&[(&format!("/opt/notes-mcp {args}"), None)]);
    }
    for args in [
        "serve",
        "serve index",
        "mcp",
        "notes work",
        "--export-dir x",
        "--import-path x",
        "--config x",
        "--restore-session",
        "-- --train",
        "uvx mcp-server-fetch",
        "/srv/db /srv/import",
    ] {
        table(&[(&format!("/opt/notes-mcp {args}"), Some("word mcp"))]);
    }
    table(&[
        ("docker run -it acme/notes-mcp bash", None),
        ("docker run -it acme/notes-mcp /bin/sh -l", None),
        ("docker run -i acme/notes-mcp sh -c serve", Some("word mcp")),
        ("docker run -i acme/notes-mcp stdio", Some("word mcp")),
    ]);
}
