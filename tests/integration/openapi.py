"""The description of the REST interface, and whether an answer is as it says.

Description.check() is given every answer that a test gets through rest.py; see conftest.py.
"""

import json
import os
import re

import jsonschema

from programs import ROOT

PATH = os.path.join(ROOT, "aclserver", "openapi.json")
METHODS = ("get", "head", "put", "post", "delete", "options", "patch", "trace")
# What every HTTP/1.1 answer may have, also one that came through a proxy; all else must be described.
PLAIN_HEADERS = {"date", "server", "connection", "keep-alive", "cache-control", "content-type", "content-length"}
PROBLEM = "application/problem+json"


def _expand(doc, node):
    """node with every {"$ref": …} replaced by what it names in doc."""
    if isinstance(node, list):
        return [_expand(doc, item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        assert list(node) == ["$ref"] and node["$ref"].startswith("#/"), node
        target = doc
        for part in node["$ref"][2:].split("/"):
            target = target[part]
        return _expand(doc, target)
    return {key: _expand(doc, value) for key, value in node.items()}


class Description:
    """The document, with all references replaced."""

    def __init__(self, doc):
        self.doc = doc
        self.paths = _expand(doc, doc["paths"])

    @classmethod
    def load(cls):
        with open(PATH) as file:
            return cls(json.load(file))

    def operations(self):
        """(path, METHOD, operation) of each."""
        for path, item in self.paths.items():
            for method in METHODS:
                if method in item:
                    yield path, method.upper(), item[method]

    def outcomes(self):
        """(path, METHOD, status) of each described answer."""
        return {(path, method, int(status)) for path, method, operation in self.operations()
                for status in operation["responses"]}

    def everywhere(self):
        """The answers that every operation can give, by status as text."""
        first, *others = [operation["responses"] for _, _, operation in self.operations()]
        return {status: response for status, response in first.items()
                if all(responses.get(status) == response for responses in others)}

    def find(self, path):
        """The described path that a request's path is, or None."""
        path = path.split("?", 1)[0]
        if path in self.paths and "{" not in path:
            return path
        for template, item in self.paths.items():
            pattern = re.escape(template)
            for parameter in item.get("parameters", ()):
                inner = parameter["schema"]["pattern"].removeprefix("^").removesuffix("$")
                pattern = pattern.replace(re.escape("{" + parameter["name"] + "}"), inner)
            if "{" in template and re.fullmatch(pattern, path):
                return template
        return None

    def response(self, method, path, status):
        """The description of this answer; AssertionError if there is none."""
        template = self.find(path)
        operation = self.paths[template].get(method.lower()) if template else None
        responses = operation["responses"] if operation else self.everywhere()
        if str(status) in responses:
            return responses[str(status)]
        problem = {"content": {PROBLEM: {"schema": self._schema("Problem")}}, "headers": self._headers("Warning")}
        if template is None and status == 404:
            return problem
        if template and operation is None and (status == 405 or (status, template) == (403, "/acl/lasterror")):
            return {**problem, "headers": self._headers("Warning", *["Allow"] * (status == 405))}
        raise AssertionError(f"{method} {path}: the answer {status} is not described")

    def _schema(self, name):
        return _expand(self.doc, self.doc["components"]["schemas"][name])

    def _headers(self, *names):
        return {name: _expand(self.doc, self.doc["components"]["headers"][name]) for name in names}

    def check(self, method, path, reply):
        """AssertionError if the answer is not as described."""
        what = f"{method} {path}: {reply.status}"
        response = self.response(method, path, reply.status)
        self._check_headers(response.get("headers", {}), reply, what)
        content = response.get("content", {})
        media = reply.headers.get("Content-Type")
        if method == "HEAD":
            assert reply.body == b"", f"{what}: a HEAD has a body"
        elif not content:
            assert (media, reply.body) == (None, b""), f"{what}: a body is not described"
        else:
            assert media in content, f"{what}: Content-Type {media} is not described"
            self._validate(json.loads(reply.body), content[media]["schema"], what)
        if media == PROBLEM and reply.body:
            assert reply.json()["status"] == reply.status, f"{what}: {reply.body}"
        template = self.find(path)
        if "Allow" in reply.headers and template:
            allowed = {method.upper() for method in self.paths[template] if method in METHODS}
            assert set(reply.headers["Allow"].split(", ")) == allowed, f"{what}: Allow: {reply.headers['Allow']}"

    @staticmethod
    def _validate(value, schema, what):
        try:
            jsonschema.Draft202012Validator(schema).validate(value)
        except jsonschema.ValidationError as error:
            raise AssertionError(f"{what}: {error}") from None

    def _check_headers(self, described, reply, what):
        for name, header in described.items():
            values = reply.headers.get_all(name, [])
            assert values or not header.get("required"), f"{what}: {name} is missing"
            for value in values:
                self._validate(value, header["schema"], f"{what}: {name}")
        names = {name.lower() for name in reply.headers} - {name.lower() for name in described}
        assert names <= PLAIN_HEADERS, f"{what}: headers that are not described: {names - PLAIN_HEADERS}"
