package template

import (
	"encoding/json"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

// notOurs are rights in AWS's schemas for what this template does not have:
// volumes, streams, imports, networks of others.
var notOurs = []string{
	"elasticfilesystem:*", "firehose:*", "kinesis:*", "s3:*", "s3files:*", "vpc-lattice:*", "vpce:*", "iam:*PermissionsBoundary",
}

// notOfTypes are services whose rights sam needs, or the console, or policies,
// whose schemas name none.
var notOfTypes = []string{"cloudformation", "s3", "iam", "cloudshell", "servicequotas"}

// AWS's own schemas say which rights CloudFormation uses for a type, in the name
// of whoever deploys.
func TestTheDeployersPolicyAllowsWhatCloudFormationDoes(t *testing.T) {
	deployed(t)
	text, err := os.ReadFile("../../../docs/deployer-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal(text, &policy); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	allowed := func(right string) bool {
		return slices.ContainsFunc(policy.Statement, func(s struct{ Action []string }) bool {
			return slices.ContainsFunc(s.Action, func(pattern string) bool {
				is, _ := path.Match(strings.ToLower(pattern), strings.ToLower(right))
				used[pattern] = used[pattern] || is
				return is
			})
		})
	}
	for kind, rights := range transformed.rights {
		for _, right := range rights {
			ours := !slices.ContainsFunc(notOurs, func(pattern string) bool { is, _ := path.Match(pattern, right); return is })
			if ours && !allowed(right) {
				t.Errorf("%s needs %s, which docs/deployer-policy.json does not allow", kind, right)
			}
		}
	}
	for _, s := range policy.Statement {
		for _, pattern := range s.Action {
			service, _, _ := strings.Cut(pattern, ":")
			if !slices.Contains(notOfTypes, service) && !used[pattern] {
				t.Errorf("docs/deployer-policy.json allows %s, and no type needs it", pattern)
			}
		}
	}
	if size := len(strings.Join(strings.Fields(string(text)), "")); size > 6_144 {
		t.Errorf("the policy has %d characters, IAM takes 6,144", size)
	}
}
