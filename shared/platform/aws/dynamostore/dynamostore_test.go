package dynamostore_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/store/storetest"
)

// client returns one for the test server, with the options of production and
// then those given.
func client(t *testing.T, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	config := aws.Config{
		Region:       testserver.Region,
		BaseEndpoint: aws.String(testserver.DynamoDB(t)),
		Credentials:  credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}
	return dynamodb.NewFromConfig(config, append([]func(*dynamodb.Options){dynamostore.Options, patient}, options...)...)
}

// patient waits for a server that shares a busy machine with other tests.
func patient(o *dynamodb.Options) {
	o.HTTPClient = o.HTTPClient.(*awshttp.BuildableClient).WithTimeout(time.Minute)
}

// table makes a table for one test and returns its name.
func table(t *testing.T) string {
	t.Helper()
	name := "postino-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client(t), name); err != nil {
		t.Fatal(err)
	}
	return name
}

// open returns a store in a table of its own.
func open(t *testing.T, options ...func(*dynamodb.Options)) *dynamostore.Store {
	t.Helper()
	return dynamostore.New(client(t, options...), table(t))
}

func TestTheStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t) })
}
