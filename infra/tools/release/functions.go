package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	packaged := semanticVersion.ReplaceAllString(buildMethod.ReplaceAllString(string(text), ""), "${1}"+r.version)
	if packaged, err = r.findCode(packaged); err != nil {
		return err
	}
	return os.WriteFile(r.path("template.yaml"), []byte(packaged), 0o644)
}

// findCode names the bucket of the functions: as it is, which the Serverless
// Application Repository needs, or, if it is another one in each region, as a
// parameter, for who has put the zips into a bucket of their own.
func (r release) findCode(template string) (string, error) {
	bucket := r.bucket
	if strings.Contains(bucket, "${") {
		bucket = `!If [OwnCode, !Ref CodeBucket, !Sub "` + r.bucket + `"]`
		for _, part := range []struct{ before, is string }{
			{"\nParameters:\n", codeParameter},
			{"\nConditions:\n", "  OwnCode: !Not [!Equals [!Ref CodeBucket, \"\"]]\n"},
			{"\n    ParameterLabels:\n", "      CodeBucket: {default: \"CodeBucket: your bucket with the functions\"}\n"},
			{"\n    ParameterGroups:\n", "      - {Label: {default: Code}, Parameters: [CodeBucket]}\n"},
		} {
			if strings.Count(template, part.before) != 1 {
				return "", fmt.Errorf("template.yaml does not have%sonce", part.before)
			}
			template = strings.Replace(template, part.before, part.before+part.is, 1)
		}
	}
	to := "${1}CodeUri: {Bucket: " + strings.ReplaceAll(bucket, "$", "$$") + ", Key: postino/" + r.version + "/${2}.zip}"
	return codeURI.ReplaceAllString(template, to), nil
}

// codeParameter is the parameter of a template whose functions may be anywhere.
const codeParameter = `  CodeBucket:
    Type: String
    Default: ""
    AllowedPattern: ^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$
    ConstraintDescription: must be empty or the name of a bucket
    Description: The name of the bucket, in this region, into which you have put the functions' zips. Empty is the bucket of the release. Change it only together with the release.
`

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
