package e2e

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// right is one thing that may be done to one thing, as IAM names both.
type right struct{ action, resource string }

// asked is a right that a call needs, and the partitions of the table that it
// reaches.
type asked struct {
	right
	leading []string
}

// rights are what the template's role of a function allows. Like IAM they refuse
// all else.
type rights struct {
	function string
	allowed  map[right][]grant
}

// grant is one statement's leave.
type grant struct {
	name    string   // as the template has it, the same in each stack
	leading []string // what the partitions must be like; nil for any
}

// of reports whether all partitions are as the statement's condition demands.
func (g grant) of(leading []string) bool {
	for _, partition := range leading {
		if g.leading != nil && !slices.ContainsFunc(g.leading, func(pattern string) bool { return like(pattern, partition) }) {
			return false
		}
	}
	return true
}

// like is StringLike of IAM, for patterns that have a star at their end or none.
func like(pattern, text string) bool {
	prefix, any := strings.CutSuffix(pattern, "*")
	return any && strings.HasPrefix(text, prefix) || text == pattern
}

// granted are the rights of all stacks that tests deployed, and whether any
// function has made use of them.
var granted = struct {
	sync.Mutex
	used map[string]bool
}{used: map[string]bool{}}

// allow notes the use of a right, and reports whether the role has it.
func (r *rights) allow(a asked) bool {
	for _, g := range r.allowed[a.right] {
		if g.of(a.leading) {
			granted.Lock()
			defer granted.Unlock()
			granted.used[g.name] = true
			return true
		}
	}
	return false
}

// otherwise are rights that functions need only with other parameters than the
// defaults.
var otherwise = []string{
	"Ingest may sqs:GetQueueAttributes on Events.Arn", // MaxBacklog over 0
	"Ingest may sqs:GetQueueAttributes on Deliveries.Arn",
}

// unused lists the rights that no function has made use of.
func unused() (list []string) {
	granted.Lock()
	defer granted.Unlock()
	for name, used := range granted.used {
		if !used && !slices.Contains(otherwise, name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// rightsOf reads the policies of a function's role.
func (s *stack) rightsOf(id string, function resource) *rights {
	found := &rights{function: id, allowed: map[right][]grant{}}
	role := s.template.Resources[named(function.Properties.Role)]
	for _, policy := range role.Properties.Policies {
		for _, statement := range policy.PolicyDocument.Statement {
			leading, shown := s.leadingKeys(id, statement.Condition)
			for _, action := range values(statement.Action) {
				for _, resource := range nodes(statement.Resource) {
					if action != "" && !strings.HasPrefix(action, "logs:") { // none if it needs a parameter; Lambda writes the logs
						found.grant(right{action, s.resourceARN(resource)}, grant{id + " may " + action + " on " + resource.Value + shown, leading})
					}
				}
			}
		}
	}
	found.polls(s, function)
	return found
}

// leadingKeys reads a statement's condition. This test knows none but that of
// partitions.
func (s *stack) leadingKeys(id string, condition map[string]map[string]yaml.Node) (patterns []string, shown string) {
	for operator, keys := range condition {
		for key, value := range keys {
			if operator != "ForAllValues:StringLike" || key != "dynamodb:LeadingKeys" {
				s.t.Fatalf("template.yaml: this test does not know the condition %s of %s in a policy of %s", operator, key, id)
			}
			patterns = values(value)
		}
	}
	if patterns != nil {
		shown = " of " + strings.Join(patterns, ", ")
	}
	return patterns, shown
}

func (r *rights) grant(one right, by grant) {
	r.allowed[one] = append(r.allowed[one], by)
	granted.Lock()
	defer granted.Unlock()
	if _, known := granted.used[by.name]; !known {
		granted.used[by.name] = false
	}
}

// polls makes use of the rights that Lambda needs to hand a queue's messages to
// the function: it takes the role of the function for that.
func (r *rights) polls(s *stack, function resource) {
	for _, source := range function.Properties.Events {
		if source.Type != "SQS" {
			continue
		}
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			if queue := s.queues[named(source.Properties.Queue)]; !r.allow(asked{right: right{action, queueARN(queue)}}) {
				s.t.Errorf("template.yaml: %s may not %s on %s, which it is to be invoked by", r.function, action, queue)
			}
		}
	}
}

// nodes returns the elements of a list, or the one value that may stand for it.
func nodes(n yaml.Node) []yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return []yaml.Node{n}
	}
	var list []yaml.Node
	for _, e := range n.Content {
		list = append(list, *e)
	}
	return list
}

func values(n yaml.Node) (list []string) {
	for _, e := range nodes(n) {
		list = append(list, e.Value)
	}
	return list
}

// resourceARN is what a policy's reference to a resource is in this account.
func (s *stack) resourceARN(n yaml.Node) string {
	id := strings.TrimPrefix(strings.SplitN(n.Value, ".", 2)[0], "${")
	switch s.template.Resources[id].Type {
	case "AWS::DynamoDB::Table":
		_, below, _ := strings.Cut(n.Value, "}")
		return arn("dynamodb", "table/"+s.name+below)
	case "AWS::SQS::Queue":
		return queueARN(s.queues[id])
	case "AWS::KMS::Key":
		return sealingKey
	case "AWS::SecretsManager::Secret":
		return adminKeySecret
	}
	s.t.Fatalf("template.yaml: this test does not know the resource %s %s of a policy", n.Tag, n.Value)
	return ""
}

func queueARN(url string) string { return arn("sqs", path.Base(url)) }

// denied answers as AWS does.
func denied(w http.ResponseWriter, function string, r asked) {
	answer, _ := json.Marshal(map[string]string{
		"__type":  "com.amazon.coral.service#AccessDeniedException",
		"message": fmt.Sprintf("%s is not authorized to perform %s on resource %s", function, r.action, r.resource),
	})
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(http.StatusBadRequest)
	w.Write(answer)
}
