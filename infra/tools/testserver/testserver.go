// Package testserver starts a DynamoDB and an SQS server for tests: real
// servers on a loopback port, in memory, one per test process.
//
// A server is started by the first test that asks and stays until the test binary ends, however it ends. Tables and
// queues are shared by all tests of the process, so give them names of their own. What is started comes from the
// environment that infra/tools/env prints: without it tests skip, unless POSTINO_REQUIRE is set, as `make test` does.
package testserver

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What SDK clients of these servers are configured with. The servers accept any credentials; DynamoDB Local wants an
// access key of letters and digits only.
const (
	Region    = "us-east-1"
	Account   = "000000000000" // in the ARNs and queue URLs of the SQS server
	AccessKey = "postinotest"
	SecretKey = "postinotest"
)

// DynamoDB returns the endpoint, such as "http://127.0.0.1:34567", of this process's DynamoDB Local, which is started
// at the first call. Without POSTINO_DYNAMODB_LOCAL it skips the test.
func DynamoDB(t testing.TB) (endpoint string) {
	t.Helper()
	return dynamoDB.endpoint(t)
}

// SQS returns the endpoint of this process's ElasticMQ, which is started at the first call. Its limits are those of
// SQS. Without POSTINO_ELASTICMQ_CLASSPATH it skips the test.
func SQS(t testing.TB) (endpoint string) {
	t.Helper()
	return sqs.endpoint(t)
}

var dynamoDB = &shared{name: "DynamoDB Local", variable: "POSTINO_DYNAMODB_LOCAL", arguments: dynamoDBArguments}

var sqs = &shared{name: "ElasticMQ", variable: "POSTINO_ELASTICMQ_CLASSPATH", arguments: elasticMQArguments}

// dynamoDBArguments are java's for the distribution in the folder dir.
func dynamoDBArguments(dir, port string) []string {
	return []string{
		"-Djava.library.path=" + filepath.Join(dir, "DynamoDBLocal_lib"),
		"-jar", filepath.Join(dir, "DynamoDBLocal.jar"),
		"-inMemory", "-sharedDb", "-disableTelemetry", "-port", port,
	}
}

// elasticMQArguments are java's for the jars of classpath.
func elasticMQArguments(classpath, port string) []string {
	return []string{
		"-Drest-sqs.bind-hostname=127.0.0.1", "-Drest-sqs.bind-port=" + port, "-Drest-sqs.sqs-limits=strict",
		"-Dnode-address.host=127.0.0.1", "-Dnode-address.port=" + port,
		"-Daws.region=" + Region, "-Daws.accountId=" + Account,
		"-cp", classpath, "org.elasticmq.server.Main",
	}
}

// shared is one server for all tests of a process.
type shared struct {
	name      string
	variable  string // names where the server is installed
	arguments func(installed, port string) []string

	once sync.Once
	at   string
	err  error
}

func (s *shared) endpoint(t testing.TB) string {
	t.Helper()
	installed := Require(t, s.variable)
	s.once.Do(func() {
		s.at, s.err = start(strings.ToLower(strings.ReplaceAll(s.name, " ", "-")), func(port string) []string {
			return s.arguments(installed, port)
		})
	})
	if s.err != nil {
		t.Fatalf("start %s: %v", s.name, s.err)
	}
	return s.at
}

// Require returns the value of an environment variable that infra/tools/env prints. When it is not set the test is
// skipped, or fails if POSTINO_REQUIRE is set.
func Require(t testing.TB, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" && os.Getenv("POSTINO_REQUIRE") != "" {
		t.Fatalf("%s is not set: run infra/tools/install, then eval the output of infra/tools/env", variable)
	}
	if value == "" {
		t.Skipf("%s is not set: `make test` installs what this test needs and runs it", variable)
	}
	return value
}
