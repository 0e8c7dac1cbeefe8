"""A registry of npm and an index of PyPI on this machine alone: what pack.py made, served as the real ones would."""

import base64
import hashlib
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class Registry(ThreadingHTTPServer):
    """Serves FOLDER/npm/*.tgz at `url`, and FOLDER/pypi/*.whl at `url`/simple/. `asked`: the paths that were."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.files = {path.name: path for kind in ["npm", "pypi"] for path in (folder / kind).iterdir()}
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def packument(self, name):
        """What npm's registry says of a package; None where it has none."""
        for path in self.files.values():
            if path.suffix != ".tgz":
                continue
            with tarfile.open(path) as tar:
                package = json.load(tar.extractfile("package/package.json"))
            if package["name"] != name:
                continue
            digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
            dist = {"tarball": f"{self.url}/files/{path.name}", "integrity": f"sha512-{digest}"}
            version = package["version"]
            versions = {version: {**package, "_id": f"{name}@{version}", "dist": dist}}
            return {"name": name, "dist-tags": {"latest": version}, "versions": versions}
        return None

    def wheels(self):
        def link(path):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            return f'<a href="/files/{path.name}#sha256={digest}">{path.name}</a><br>'
        return "".join(link(path) for path in self.files.values() if path.suffix == ".whl")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = unquote(self.path).strip("/")
        self.server.asked.append(path)
        if path.startswith("files/"):
            found = self.server.files.get(path.removeprefix("files/"))
            return self.answer(found and found.read_bytes(), "application/octet-stream")
        if path == "simple/mcp-reap":
            return self.answer(self.server.wheels().encode(), "text/html")
        found = self.server.packument(path)
        return self.answer(found and json.dumps(found).encode(), "application/json")

    def answer(self, content, kind):
        self.send_response(200 if content else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass
