#!/usr/bin/env python3
"""What `gh api` does with the comments of one pull request, kept in a file; no network is asked.

The file named by FAKE_GH holds ``comments``, ``calls`` and whether the token ``may_write``.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("api", choices=["api"])
parser.add_argument("path")
parser.add_argument("--method", default="GET")
parser.add_argument("--input", type=argparse.FileType("rb"))
asked = parser.parse_args()
store = Path(os.environ["FAKE_GH"])
state = json.loads(store.read_text("utf-8"))
comments = state["comments"]


def refuse(status, message):
    print(json.dumps({"message": message, "status": str(status)}))
    sys.exit(f"gh: {message} (HTTP {status})")


if not os.environ.get("GH_TOKEN"):
    refuse(401, "Requires authentication")
state["calls"].append(f"{asked.method} {asked.path} on {os.environ['GH_HOST']}")
store.write_text(json.dumps(state), "utf-8")
url = urlsplit(asked.path)
one = re.fullmatch(r"repos/owner/vectors/issues/comments/(\d+)", url.path)
if not one and url.path != "repos/owner/vectors/issues/7/comments":
    refuse(404, "Not Found")
if asked.method == "GET":
    query = {name: int(value) for name, (value,) in parse_qs(url.query).items()}
    size, page = query["per_page"], query["page"]
    print(json.dumps(comments[size * (page - 1) : size * page]))
else:
    if not state["may_write"]:
        refuse(403, "Resource not accessible by integration")
    body = json.loads(asked.input.read())["body"]
    if len(body) > 65_536:
        refuse(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    if one:
        comment = next(each for each in comments if each["id"] == int(one[1]))
        comment["body"] = body
    else:
        page = f"https://github.example/owner/vectors/pull/7#{len(comments)}"
        comment = {"id": len(comments), "body": body, "html_url": page, "user": {"type": "Bot"}}
        comments.append(comment)
    store.write_text(json.dumps(state), "utf-8")
    print(json.dumps(comment))
