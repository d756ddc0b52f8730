// Package template tests template.yaml: it reads the template as CloudFormation
// does, checks the wiring, and builds what it names.
package template
