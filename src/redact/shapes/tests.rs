use super::*;

#[test]
fn issued_tokens_are_hidden_wherever_they_stand() {
    for (text, hidden) in [
        ("sk-ant-api03-Zx81-kQ", "<redacted>"),
        ("x,ghp_16C7e42F292c6912E7,y", "x,<redacted>,y"),
        ("github_pat_11AAAAAAA0bbbbbb", "<redacted>"),
        ("AKIAIOSFODNN7EXAMPLE", "<redacted>"),
        ("(xoxb-123456789012-abc)", "(<redacted>)"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "<redacted>"),
        ("npm_a1B2c3D4e5F6g7H8i9J0", "<redacted>"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "<redacted>"),
        ("a=-----BEGIN RSA PRIVATE KEY-----", "a=<redacted>"),
    ] {
        assert_eq!(hide(text, Place::Word), hidden, "{text}");
    }
}

#[test]
fn words_that_only_begin_like_a_token_are_left() {
    for text in [
        "npm_config_registry_url",
        "sk-learn-mcp-server",
        "key-value-store-server",
        "hf_transfer_enabled",
        "secret_manager_mcp_server",
        "pypi-query-mcp-server",
        "task-sk-ant",
        "AKIA",
        "eyJ",
        "risk-analysis",
    ] {
        assert_eq!(hide(text, Place::Word), text);
    }
}

#[test]
fn long_random_runs_are_hidden_and_long_names_are_not() {
    for text in [
        "9f86d081884c7d659a2feaa0c55ad015",
        "Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1u/x+1=",
        "k3j9x0q8w7e6r5t4y3u2i1o0p9a8s7d6",
    ] {
        assert_eq!(hide(text, Place::Word), HIDDEN, "{text}");
    }
    for text in [
        "modelcontextprotocol-server-filesystem-v2-2024-11-20",
        "user-data-dir-mcp-chrome-profile-1234567",
        "session-550e8400-e29b-41d4-a716-446655440000",
        "MyVeryLongCamelCasePackageNameWithVersion2",
        "ghcr.io/github/github-mcp-server@sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
        "github:user/repo#9f86d081884c7d659a2feaa0c55ad0159f86d081",
        "11111111111111111111111111111111111111",
    ] {
        assert_eq!(hide_word(text), text);
    }
}

#[test]
fn caches_and_stores_in_a_path_stay_readable() {
    for text in [
        "/home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory",
        "/nix/store/0c5b4f9m2x7k1q8z3v6n0d5r4s2w9y1a-nodejs-20.11.0/bin/node",
        "/home/u/.cache/uv/archive-v0/3kTqYx0ZrWmA2bC4dE6fG/bin/python",
        "/x/9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015/y",
        "/home/u/.claude/projects/-home-u-Code-MyProject2-Sub3-Other4-Thing5/x",
        "~/Library/Caches/ms-playwright/mcp-chrome-1a2b3c4",
    ] {
        assert_eq!(hide_word(text), text);
    }
    let leak = "/hooks/Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1uMDEyMzQ1";
    assert_eq!(hide_word(leak), "/hooks/<redacted>");
}
