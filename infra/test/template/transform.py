"""Prints, as JSON, what CloudFormation's SAM transform makes of template.yaml.

`sam validate --lint` does not transform, and CloudFormation does it only at a deployment. Standard input is a JSON list with the
parameters of each deployment; the answer has its template for each, which properties of a type cannot change without its
resource being replaced, and which rights whoever deploys needs for it.
"""
import copy
import json
import logging
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

logging.disable(logging.CRITICAL)


class NoManagedPolicies:
    def load(self):
        return {}


with open("template.yaml") as file:
    source = yaml_parse(file.read())


def deployed(parameters):
    template = copy.deepcopy(source)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "functions", "Key": "function.zip"}
    return transform(template, parameters, NoManagedPolicies())


def create_only(kind):
    paths = schemas.get_resource_schema("us-east-1", kind).schema.get("createOnlyProperties", [])
    return [path.removeprefix("/properties/") for path in paths]


def permissions(kind):
    handlers = schemas.get_resource_schema("us-east-1", kind).schema.get("handlers") or {}
    return sorted({right for handler in handlers.values() for right in handler.get("permissions", [])})


templates = [deployed(parameters) for parameters in json.load(sys.stdin)]
kinds = {resource["Type"] for template in templates for resource in template["Resources"].values()}
json.dump({
    "templates": templates,
    "createOnly": {kind: create_only(kind) for kind in sorted(kinds)},
    "permissions": {kind: permissions(kind) for kind in sorted(kinds)},
}, sys.stdout)
