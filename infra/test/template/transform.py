"""Prints, as JSON, what CloudFormation's SAM transform makes of template.yaml.

`sam validate --lint` does not transform, and CloudFormation does it only at a deployment.
"""
import json
import logging
import sys

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

logging.disable(logging.CRITICAL)


class NoManagedPolicies:
    def load(self):
        return {}


with open("template.yaml") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = {"Bucket": "functions", "Key": "function.zip"}
json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)
