//! npx, uvx, docker: what fetches a program or finds it in a project.

use super::table;

#[test]
fn package_runners_run_a_package_or_the_bin_of_one() {
    table(&[
        ("npx -y @a/b@1 c", "npx | Package | @a/b | c"),
        ("npx -y -p @a/b -p d bin c", "npx | Package | @a/b | c"),
        ("npx --package=@a/b -- bin", "npx | Package | @a/b | "),
        ("npx --registry https://r.example b", "npx | Package | b | "),
        ("npx -c b~--x", "npx | Binary | b | --x"),
        ("npx tsx x.ts", "npx tsx typescript | Script | x | "),
        ("npx tsx watch x.ts", "npx tsx typescript | Script | x | "),
        ("npx ./x.js", "npx | Script | x | "),
        ("npx -y ./b c", "npx | Package | b | c"),
        ("npx -y chart.js", "npx | Package | chart.js | "),
        ("npx", "-"),
        ("npm exec b -- c", "npm | Package | b | c"),
        ("npm~exec~@a/b~c", "npm | Package | @a/b | c"),
        ("npm --prefix /srv/b start", "npm | Task | b | "),
        ("npm run c --prefix /srv/b -- d", "npm | Task | c | --prefix /srv/b -- d"),
        ("npm install b", "-"),
        ("npm i -g b", "-"),
        ("pnpm dlx b c", "pnpm | Package | b | c"),
        ("pnpm --package=b dlx bin", "pnpm | Package | b | "),
        ("pnpm run b c", "pnpm | Task | b | c"),
        ("pnpm -C /srv/b start", "pnpm | Task | b | "),
        ("pnpm add b", "-"),
        ("yarn dlx -p b bin", "yarn | Package | b | "),
        ("yarn --cwd /srv/b start", "yarn | Task | b | "),
        ("yarn run b c", "yarn | Task | b | c"),
        ("yarn node x.js c", "yarn | Script | x | c"),
        ("yarn add b", "-"),
        ("bunx --bun b", "bunx | Package | b | "),
        ("bun x b", "bun bunx | Package | b | "),
        ("bun run x.ts", "bun | Script | x | "),
        ("bun x.ts a", "bun | Script | x | a"),
        ("bun --cwd /srv/b start", "bun bun run | Task | b | "),
        ("bun install b", "-"),
        ("deno run -A --config d.json npm:@a/b@1 c", "deno | Package | @a/b | c"),
        ("deno run --allow-net x.ts", "deno | Script | x | "),
        ("deno run --ext ts x", "deno | Script | x | "),
        ("deno x.ts", "deno | Script | x | "),
        ("deno run jsr:@a/b c", "deno | Package | @a/b | c"),
        ("deno x b c", "deno | Package | b | c"),
        ("deno run https://h.example/b.ts?v=1 c", "deno | Script | b | c"),
        ("deno run file:///x/b.ts", "deno | Script | b | "),
        ("deno task --cwd /srv/b start c", "deno deno task | Task | b | c"),
        ("deno eval code name", "deno | Inline | name | name"),
        ("deno eval -p --ext ts code", "deno | Inline |  | "),
        ("deno install b", "-"),
        ("pipx run --spec b==1 bin c", "pipx | Package | b | c"),
        ("pipx install b", "-"),
    ]);
}

#[test]
fn uv_runs_a_tool_a_script_or_a_command_of_the_project() {
    table(&[
        ("uvx b@1 c", "uvx | Package | b | c"),
        ("uvx --from b bin c", "uvx | Package | b | c"),
        ("uvx --with a --python 3.12 b", "uvx | Package | b | "),
        ("uv tool uvx --from git+https://h.example/u/b@main bin", "uv | Package | b | "),
        ("uv tool run b", "uv | Package | b | "),
        ("uv run x.py a", "uv | Script | x | a"),
        ("uv --directory /srv/b run main.py", "uv | Script | b | "),
        ("uv --directory /srv/b run /main.py", "uv | Script | main | "),
        ("uv run --directory=/srv/b server", "uv | Binary | b | "),
        ("uv --directory /srv/b run python /srv/c/server.py", "uv python | Script | c | "),
        ("uv x b", "uv | Package | b | "),
        ("uv run --with a --extra c python -m b", "uv python | Module | b | "),
        ("uv run -m b", "uv | Module | b | "),
        ("uv run env A=1 b", "uv env | Binary | b | "),
        ("uv tool install b", "-"),
        ("uv add b", "-"),
        ("uv sync", "-"),
    ]);
}

#[test]
fn containers_run_an_image_behind_all_their_options() {
    table(&[
        ("docker run -i --rm a/b:1 c", "docker | Image | a/b | c"),
        ("docker run -e A -v /a:/b --name x --network host a/b", "docker | Image | a/b | "),
        ("docker run -itv /a:/b a/b", "docker | Image | a/b | "),
        ("docker run --pull=always --init -p80:80 h:5000/a/b:1", "docker | Image | h:5000/a/b | "),
        ("docker --context c run b", "docker | Image | b | "),
        ("docker container run b", "docker | Image | b | "),
        ("docker run node:22 npx -y b", "docker npx | Package | b | "),
        ("docker run --entrypoint b a/c d", "docker | Binary | b | d"),
        ("docker exec -i -u root box b c", "docker | Binary | b | c"),
        ("podman run --userns keep-id b", "podman | Image | b | "),
        ("docker build -t b .", "-"),
        ("docker mcp gateway run", "docker | Binary | docker | mcp gateway run"),
        ("docker compose up b", "-"),
        ("docker run", "-"),
    ]);
}
