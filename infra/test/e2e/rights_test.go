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

// rights are what the template's role of a function allows. Like IAM they refuse
// all else.
type rights struct {
	function string
	allowed  map[right]string // with the right as the template has it, the same in each stack
}

// granted are the rights of all stacks that tests deployed, and whether any
// function has made use of them.
var granted = struct {
	sync.Mutex
	used map[string]bool
}{used: map[string]bool{}}

// allow notes the use of a right, and reports whether the role has it.
func (r *rights) allow(asked right) bool {
	name, allowed := r.allowed[asked]
	if allowed {
		granted.Lock()
		defer granted.Unlock()
		granted.used[name] = true
	}
	return allowed
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
	found := &rights{function: id, allowed: map[right]string{}}
	role := s.template.Resources[named(function.Properties.Role)]
	for _, policy := range role.Properties.Policies {
		for _, statement := range policy.PolicyDocument.Statement {
			for _, action := range values(statement.Action) {
				for _, resource := range nodes(statement.Resource) {
					if action != "" && !strings.HasPrefix(action, "logs:") { // none if it needs a parameter; Lambda writes the logs
						found.grant(right{action, s.resourceARN(resource)}, id+" may "+action+" on "+resource.Value)
					}
				}
			}
		}
	}
	found.polls(s, function)
	return found
}

func (r *rights) grant(one right, name string) {
	r.allowed[one] = name
	granted.Lock()
	defer granted.Unlock()
	if _, known := granted.used[name]; !known {
		granted.used[name] = false
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
			if queue := s.queues[named(source.Properties.Queue)]; !r.allow(right{action, queueARN(queue)}) {
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

// call is what a request to AWS names.
type call struct {
	TableName     string
	IndexName     string
	RequestItems  map[string]json.RawMessage
	TransactItems []map[string]struct{ TableName string }
	QueueURL      string `json:"QueueUrl"`
	SourceARN     string `json:"SourceArn"`
	KeyID         string `json:"KeyId"`
	SecretID      string `json:"SecretId"`
}

// askedFor lists the rights that a call of AWS's JSON protocols needs.
func askedFor(target string, body []byte) (asked []right, err error) {
	var c call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	service, operation, _ := strings.Cut(target, ".")
	switch service {
	case "DynamoDB_20120810":
		return c.ofTable(operation), nil
	case "AmazonSQS":
		return c.ofQueue(operation), nil
	case "TrentService":
		return []right{{"kms:" + operation, c.KeyID}}, nil
	case "secretsmanager":
		return []right{{"secretsmanager:" + operation, c.SecretID}}, nil
	}
	return nil, fmt.Errorf("unknown service %s", service)
}

// ofTable: a transaction needs the right of each of its parts, and a query of an
// index that of the index.
func (c call) ofTable(operation string) (asked []right) {
	table := func(name string) string { return arn("dynamodb", "table/"+name) }
	for _, item := range c.TransactItems {
		for part, in := range item {
			action := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}[part]
			asked = append(asked, right{"dynamodb:" + action, table(in.TableName)})
		}
	}
	for name := range c.RequestItems {
		asked = append(asked, right{"dynamodb:" + operation, table(name)})
	}
	if c.TableName != "" {
		resource := table(c.TableName)
		if c.IndexName != "" {
			resource += "/index/" + c.IndexName
		}
		asked = append(asked, right{"dynamodb:" + operation, resource})
	}
	return asked
}

// ofQueue: a batch needs the right of one. A move of messages reads the source as
// a receiver does.
func (c call) ofQueue(operation string) []right {
	if operation == "StartMessageMoveTask" {
		return []right{{"sqs:StartMessageMoveTask", c.SourceARN}, {"sqs:ReceiveMessage", c.SourceARN}, {"sqs:DeleteMessage", c.SourceARN}, {"sqs:GetQueueAttributes", c.SourceARN}}
	}
	return []right{{"sqs:" + strings.TrimSuffix(operation, "Batch"), queueARN(c.QueueURL)}}
}

// denied answers as AWS does.
func denied(w http.ResponseWriter, function string, r right) {
	answer, _ := json.Marshal(map[string]string{
		"__type":  "com.amazon.coral.service#AccessDeniedException",
		"message": fmt.Sprintf("%s is not authorized to perform %s on resource %s", function, r.action, r.resource),
	})
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	w.WriteHeader(http.StatusBadRequest)
	w.Write(answer)
}
