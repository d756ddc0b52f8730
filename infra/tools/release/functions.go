package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// codeURI is where template.yaml names the folder of a function.
var codeURI = regexp.MustCompile(`(?m)^( +)CodeUri: functions/([a-z]+)/$`)

// metadata of a function tells `sam build` how, which nobody does with a
// packaged template.
var buildMethod = regexp.MustCompile(`(?m)^ +Metadata: \{BuildMethod: go1\.x\}\n`)

var semanticVersion = regexp.MustCompile(`(?m)^( +SemanticVersion: ).*$`)

// functions makes a zip for each function, and the template that finds them in
// the bucket. CloudFormation's console takes it as it is.
func (r release) functions() error {
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		return err
	}
	found := codeURI.FindAllStringSubmatch(string(text), -1)
	if len(found) == 0 {
		return fmt.Errorf("template.yaml names no folder of a function")
	}
	for _, f := range found {
		if err := r.function(f[2]); err != nil {
			return err
		}
	}
	packaged := codeURI.ReplaceAllString(string(text), `${1}CodeUri: {Bucket: !Sub "`+escapeDollars(r.bucket)+`", Key: postino/`+r.version+`/${2}.zip}`)
	packaged = semanticVersion.ReplaceAllString(buildMethod.ReplaceAllString(packaged, ""), "${1}"+r.version)
	return os.WriteFile(r.path("template.yaml"), []byte(packaged), 0o644)
}

// escapeDollars keeps ${AWS::Region} from being taken for a group.
func escapeDollars(text string) string {
	return regexp.MustCompile(`\$`).ReplaceAllString(text, "$$$$")
}

// function makes the zip of one, for the processors of template.yaml.
func (r release) function(name string) error {
	dir, err := os.MkdirTemp("", "postino-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, "bootstrap")
	if err := r.build(target{"linux", "arm64"}, "./functions/"+name, built, "-tags=lambda.norpc"); err != nil {
		return err
	}
	if err := r.zip(name+".zip", []packed{{"bootstrap", built, 0o755}}); err != nil {
		return err
	}
	return r.materials(name, built)
}
