// Package template holds template.yaml to its wiring: tests that read it as CloudFormation does, and build what it names.
package template
