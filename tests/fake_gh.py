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

COMMENTS = "repos/owner/vectors/issues/7/comments"
COMMENT = re.compile(r"repos/owner/vectors/issues/comments/(\d+)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["api"])
    parser.add_argument("path")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--input", choices=["-"])
    asked = parser.parse_args()
    store = Path(os.environ["FAKE_GH"])
    state = json.loads(store.read_text("utf-8"))
    state["calls"].append(f"{asked.method} {asked.path} on {os.environ['GH_HOST']}")
    answer = _answer(state, asked.method, urlsplit(asked.path), asked.input and sys.stdin.read())
    store.write_text(json.dumps(state), "utf-8")
    print(json.dumps(answer))


def _answer(state, method, url, body):
    comments, one = state["comments"], COMMENT.fullmatch(url.path)
    if not os.environ.get("GH_TOKEN"):
        _refuse(401, "Requires authentication")
    if not one and url.path != COMMENTS:
        _refuse(404, "Not Found")
    if method == "GET":
        query = {name: int(value) for name, (value,) in parse_qs(url.query).items()}
        size, page = query["per_page"], query["page"]
        return comments[size * (page - 1) : size * page]
    if not state["may_write"]:
        _refuse(403, "Resource not accessible by integration")
    text = json.loads(body)["body"]
    if len(text) > 65_536:
        _refuse(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    if method == "PATCH":
        (comment,) = (each for each in comments if each["id"] == int(one[1]))
        comment["body"] = text
        return comment
    page = f"https://github.example/owner/vectors/pull/7#{len(comments)}"
    comment = {"id": len(comments), "body": text, "html_url": page, "user": {"type": "Bot"}}
    comments.append(comment)
    return comment


def _refuse(status, message):
    print(json.dumps({"message": message, "status": str(status)}))
    sys.exit(f"gh: {message} (HTTP {status})")


if __name__ == "__main__":
    main()
