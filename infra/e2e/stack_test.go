package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"gopkg.in/yaml.v3"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/store/dynamostore"
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
	endpoints []string          // AWS_ENDPOINT_URL_… for the functions
	queues    map[string]string // URLs by logical id
	functions map[string]*function
	api       *httptest.Server
	log       *logbook
	polls     sync.WaitGroup
	ctx       context.Context // ends the mappings and the schedule
}

// settings are where a stack is to differ from template.yaml, so that a test
// need not wait for minutes. The zero value differs in nothing.
type settings struct {
	visibility time.Duration // of each queue
	maxReceive int           // of each queue
	asleep     bool          // mappings do not start by themselves
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
	for id, r := range s.template.of("AWS::Serverless::Function") {
		p := r.Properties
		s.functions[id] = newFunction(id, filepath.Join(programs, filepath.Base(p.CodeURI)), s.environment(id, p.Environment.Variables),
			time.Duration(p.Timeout)*time.Second, s.log)
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
	for service, url := range at {
		s.endpoints = append(s.endpoints, "AWS_ENDPOINT_URL_"+service+"="+url)
	}
	s.config = aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, "")}
	s.dynamo = dynamodb.NewFromConfig(s.config, func(o *dynamodb.Options) { o.BaseEndpoint = aws.String(at["DYNAMODB"]) })
	s.sqs = sqs.NewFromConfig(s.config, func(o *sqs.Options) { o.BaseEndpoint = aws.String(at["SQS"]) })
}

// makeQueues makes those that are dead-letter queues first.
func (s *stack) makeQueues() {
	all := s.template.of("AWS::SQS::Queue")
	for _, hasPolicy := range []bool{false, true} {
		for id, r := range all {
			policy := r.Properties.RedrivePolicy
			if hasPolicy != (policy.MaxReceiveCount > 0) {
				continue
			}
			name := strings.ReplaceAll(r.Properties.QueueName.Value, "${AWS::StackName}", s.name)
			out, err := s.sqs.CreateQueue(s.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: s.attributes(r)})
			if err != nil {
				s.t.Fatal(err)
			}
			s.queues[id] = *out.QueueUrl
		}
	}
}

func (s *stack) attributes(r resource) map[string]string {
	p := r.Properties
	attributes := map[string]string{}
	if p.VisibilityTimeout != "" {
		attributes["VisibilityTimeout"] = p.VisibilityTimeout
	}
	if s.settings.visibility > 0 {
		attributes["VisibilityTimeout"] = strconv.Itoa(int(s.settings.visibility.Seconds()))
	}
	if p.RedrivePolicy.MaxReceiveCount > 0 {
		policy, err := json.Marshal(map[string]any{
			"deadLetterTargetArn": s.queueARN(named(p.RedrivePolicy.DeadLetterTarget)),
			"maxReceiveCount":     cmp.Or(s.settings.maxReceive, p.RedrivePolicy.MaxReceiveCount),
		})
		if err != nil {
			s.t.Fatal(err)
		}
		attributes["RedrivePolicy"] = string(policy)
	}
	return attributes
}

func (s *stack) queueARN(id string) string {
	return arn("sqs", s.queues[id][strings.LastIndexByte(s.queues[id], '/')+1:])
}

// environment is what Lambda gives a function, and nothing of ours.
func (s *stack) environment(function string, variables map[string]yaml.Node) []string {
	env := append([]string{
		"AWS_REGION=" + region, "AWS_ACCESS_KEY_ID=" + testserver.AccessKey, "AWS_SECRET_ACCESS_KEY=" + testserver.SecretKey,
		"AWS_LAMBDA_FUNCTION_NAME=" + function, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_EC2_METADATA_DISABLED=true", "TZ=:UTC", "LANG=en_US.UTF-8", "PATH=/usr/bin:/bin",
	}, s.endpoints...)
	for name, value := range variables {
		env = append(env, name+"="+s.value(value))
	}
	return env
}

// value is what CloudFormation makes of a variable's value.
func (s *stack) value(n yaml.Node) string {
	known := map[string]string{
		"!Ref Table": s.name, "!GetAtt SealingKey.Arn": sealingKey, "!Ref AdminKey": adminKeySecret,
		"!Sub ${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}": apiHost,
		"!Ref EgressAllow": "127.0.0.0/8", "!Ref LogLevel": s.template.Parameters["LogLevel"].Default,
	}
	for id, url := range s.queues {
		known["!Ref "+id] = url
	}
	value, ok := known[n.Tag+" "+n.Value]
	if !ok {
		s.t.Fatalf("template.yaml: this test does not know what %s %s is", n.Tag, n.Value)
	}
	return value
}

// run starts API, mappings and schedule, and ends them with the test.
func (s *stack) run() {
	behind := map[string]*function{}
	for key, id := range s.template.routes() {
		behind[key] = s.functions[id]
	}
	s.api = httptest.NewServer(newGateway(behind))
	ctx, stop := context.WithCancel(context.Background())
	s.ctx = ctx
	s.t.Cleanup(func() {
		s.api.Close()
		stop()
		for _, f := range s.functions {
			f.kill() // a batch at work fails
		}
		s.polls.Wait()
		if s.t.Failed() {
			s.t.Logf("the functions wrote:\n%s", s.log)
		}
	})
	if !s.settings.asleep {
		s.wake("Fanout", "Delivery")
	}
	s.polls.Go(func() { s.schedule(ctx) })
}

// wake starts the mappings of functions.
func (s *stack) wake(functions ...string) {
	for _, id := range functions {
		for _, e := range s.template.Resources[id].Properties.Events {
			queue := named(e.Properties.Queue)
			m := &mapping{
				sqs: s.sqs, queue: s.queues[queue], arn: s.queueARN(queue), function: s.functions[id], batch: e.Properties.BatchSize,
				partial: slices.Contains(e.Properties.ResponseTypes, "ReportBatchItemFailures"),
			}
			for range 2 {
				s.polls.Go(func() { m.poll(s.ctx) })
			}
		}
	}
}

// between is the time between two sweeps; on AWS it is a minute.
const between = 5 * time.Second

func (s *stack) schedule(ctx context.Context) {
	for ctx.Err() == nil {
		s.functions["Sweep"].invoke(ctx, []byte(`{"version":"0","source":"aws.scheduler","detail-type":"Scheduled Event","detail":{}}`))
		select {
		case <-ctx.Done():
		case <-time.After(between):
		}
	}
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

// Redrive does what the SQS console does.
func (s *stack) Redrive(ctx context.Context, n int) error {
	why := eventually(ctx, func() string {
		if got := s.visible("Exhausted"); got != n {
			return fmt.Sprintf("%d messages in exhausted, want %d", got, n)
		}
		return ""
	})
	if why != "" {
		return fmt.Errorf("%s", why)
	}
	_, err := s.sqs.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{
		SourceArn: aws.String(s.queueARN("Exhausted")), DestinationArn: aws.String(s.queueARN("Resend")),
	})
	return err
}

// visible is the number of messages that wait in a queue.
func (s *stack) visible(queue string) int {
	url := s.queues[queue]
	out, err := s.sqs.GetQueueAttributes(s.t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	n, err := strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// dead is the number of messages in the dead-letter queues of ours, by logical id.
func (s *stack) dead() map[string]int {
	found := map[string]int{}
	for id := range s.queues {
		if n := s.visible(id); strings.HasSuffix(id, "Dead") && n > 0 {
			found[id] = n
		}
	}
	return found
}

var programs struct {
	once sync.Once
	dir  string
	err  error
}

// build compiles the functions, once, as `make build` does but for this
// machine, and returns the folder where they are.
func build(t *testing.T) string {
	t.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "postino-functions-"); programs.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", programs.dir+"/", "./functions/...")
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			programs.err = fmt.Errorf("%w:\n%s", err, out)
		}
	})
	if programs.err != nil {
		t.Fatalf("build the functions: %v", programs.err)
	}
	return programs.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(programs.dir)
	os.Exit(code)
}
