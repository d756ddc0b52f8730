package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"gopkg.in/yaml.v3"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
)

// Names in the account that the tests deploy to.
const (
	region  = testserver.Region
	account = testserver.Account
	apiHost = "abc123.execute-api." + region + ".amazonaws.com"
)

var (
	sealingKey     = arn("kms", "key/sealing")
	adminKeySecret = arn("secretsmanager", "secret:admin-key")
)

func arn(service, name string) string {
	return "arn:aws:" + service + ":" + region + ":" + account + ":" + name
}

// stack is one deployment of template.yaml.
type stack struct {
	t         *testing.T
	name      string
	template  template
	settings  settings
	config    aws.Config
	dynamo    *dynamodb.Client
	sqs       *sqs.Client
	servers   map[string]string // of AWS, by the name that AWS_ENDPOINT_URL_… has for a service
	iam       *iamGate          // the functions' way to them
	queues    map[string]string // URLs by logical id
	functions map[string]*function
	old       map[string]string // programs of functions whose alias lags behind, by logical id
	api       *httptest.Server
	log       *logbook
	polls     sync.WaitGroup
	ctx       context.Context // ends the mappings and the schedule
}

// settings are where a stack is to differ from template.yaml, so that a test
// need not wait for minutes. The zero value differs in nothing.
type settings struct {
	visibility time.Duration     // of each queue
	maxReceive int               // of each queue
	asleep     bool              // mappings do not start by themselves
	meter      *meter            // counts what is paid for; nil for none
	parameters map[string]string // of the template, in place of their defaults

	slow       *slowTable // before the table; nil for nothing
	containers int        // of each function, at once; 0 for three
	frozen     bool       // containers are stopped between invocations

	plant func(*stack, map[string]*rights) // breaks something before it starts, such as a role; nil breaks nothing
	still bool                             // nobody runs sweep

	dynamo *testserver.Own  // a table server of the test's own; nil for the one that all share
	sqs    *testserver.Gate // the way to the queues; nil for the straight one
}

var stacks atomic.Int32

// deploy makes what the template describes, and starts it.
func deploy(t *testing.T, with settings) *stack {
	t.Helper()
	s := &stack{
		t: t, name: fmt.Sprintf("postino-%d-%d", os.Getpid(), stacks.Add(1)), template: readTemplate(t), settings: with,
		queues: map[string]string{}, functions: map[string]*function{}, log: &logbook{},
	}
	s.connect()
	if err := dynamostore.CreateTable(t.Context(), s.dynamo, s.name); err != nil {
		t.Fatal(err)
	}
	s.makeQueues()
	programs := build(t)
	roles := map[string]*rights{}
	for id, r := range s.template.of("AWS::Serverless::Function") {
		roles[id] = s.rightsOf(id, r)
	}
	if with.plant != nil {
		with.plant(s, roles)
	}
	s.iam = newIAMGate(t, roles, s.servers)
	t.Cleanup(func() {
		for _, d := range s.iam.denials() {
			if with.plant == nil {
				t.Errorf("template.yaml: %s", d)
			}
		}
	})
	for id, r := range s.template.of("AWS::Serverless::Function") {
		p := r.Properties
		program := cmp.Or(s.old[id], filepath.Join(programs, filepath.Base(p.CodeURI)))
		s.functions[id] = newFunction(id, program, s.environment(id, p.Environment.Variables),
			time.Duration(p.Timeout)*time.Second, s.log, cmp.Or(with.containers, atOnceEach))
		s.functions[id].frozen = with.frozen
	}
	s.run()
	return s
}

// connect makes clients for the servers, and tells functions of them.
func (s *stack) connect() {
	fakes := httptest.NewServer(&secrets{keys: map[string]dataKey{}})
	s.t.Cleanup(fakes.Close)
	at := map[string]string{
		"DYNAMODB": testserver.DynamoDB(s.t), "SQS": testserver.SQS(s.t), "KMS": fakes.URL, "SECRETS_MANAGER": fakes.URL,
	}
	if own := s.settings.dynamo; own != nil {
		at["DYNAMODB"] = own.Endpoint
	}
	if gate := s.settings.sqs; gate != nil {
		at["SQS"] = gate.Endpoint
	}
	if slow := s.settings.slow; slow != nil {
		at["DYNAMODB"] = slow.start(s.t, at["DYNAMODB"])
	}
	if m := s.settings.meter; m != nil {
		at["DYNAMODB"], at["SQS"] = m.metersTable(s.t, at["DYNAMODB"]), m.metersQueues(s.t, at["SQS"])
		at["KMS"], at["SECRETS_MANAGER"] = m.metersSecrets(s.t, fakes.URL), m.metersSecrets(s.t, fakes.URL)
	}
	s.servers = at
	s.config = aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, "")}
	s.dynamo = dynamodb.NewFromConfig(s.config, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String(at["DYNAMODB"]) })
	s.sqs = sqs.NewFromConfig(s.config, func(o *sqs.Options) { o.BaseEndpoint = aws.String(at["SQS"]) })
}

// environment is what Lambda gives a function, and nothing of ours.
func (s *stack) environment(function string, variables map[string]yaml.Node) []string {
	env := append([]string{
		"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + testserver.AccessKey, "AWS_SECRET_ACCESS_KEY=" + testserver.SecretKey,
		"AWS_LAMBDA_FUNCTION_NAME=" + function, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_EC2_METADATA_DISABLED=true", "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/bin:/bin",
	}, s.iam.endpoints(function)...)
	for name, value := range variables {
		env = append(env, name+"="+s.value(value))
	}
	return env
}

// value is what CloudFormation makes of a variable's value.
func (s *stack) value(n yaml.Node) string {
	known := map[string]string{
		"!Ref Table": s.name, "!GetAtt SealingKey.Arn": sealingKey, "!Ref AdminKey": adminKeySecret,
		"!Sub ${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix},${DomainName}": apiHost + ",",
		"!Ref EgressAllow": "127.0.0.0/8",
	}
	for id, url := range s.queues {
		known["!Ref "+id] = url
	}
	for name, value := range s.settings.parameters {
		known["!Ref "+name] = value
	}
	value, ok := known[n.Tag+" "+n.Value]
	if p, is := s.template.Parameters[n.Value]; !ok && is && n.Tag == "!Ref" {
		value, ok = p.Default, true
	}
	if !ok {
		s.t.Fatalf("template.yaml: this test does not know what %s %s is", n.Tag, n.Value)
	}
	return value
}

// URL is the address of the API.
func (s *stack) URL() string { return s.api.URL }

// Advance waits.
func (s *stack) Advance(ctx context.Context, by time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(by):
		return nil
	}
}
