package recipes_test

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/webhook"
)

func TestRecipesOnDynamoDB(t *testing.T) {
	testserver.DynamoDB(t) // skips where none is installed
	playAll(t, func(t *testing.T) *server.Server { return start(t, openTable(t)) })
}

// openTable returns a store in a table of its own.
func openTable(t *testing.T) *foreseen {
	t.Helper()
	client := dynamodb.NewFromConfig(aws.Config{
		Region:       testserver.Region,
		BaseEndpoint: aws.String(testserver.DynamoDB(t)),
		Credentials:  credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	}, dynamostore.Options, patient)
	name := "postino-" + rand.Text()
	if err := dynamostore.CreateTable(t.Context(), client, name); err != nil {
		t.Fatal(err)
	}
	return &foreseen{Store: dynamostore.New(client, name), dues: map[webhook.Due]bool{}}
}

// patient waits for a server that shares a busy machine with other tests.
func patient(o *dynamodb.Options) {
	o.HTTPClient = o.HTTPClient.(*awshttp.BuildableClient).WithTimeout(time.Minute)
}

// foreseen is DynamoDB with a list of the due pointers beside it: the time
// until which a clock can be moved is not among the questions that the table
// answers, since on AWS nobody moves it.
type foreseen struct {
	*dynamostore.Store

	mu   sync.Mutex
	dues map[webhook.Due]bool
}

func (s *foreseen) PutDue(ctx context.Context, due webhook.Due) error {
	if err := s.Store.PutDue(ctx, due); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dues[key(due)] = true
	return nil
}

func (s *foreseen) DeleteDue(ctx context.Context, dues []webhook.Due) error {
	if err := s.Store.DeleteDue(ctx, dues); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, due := range dues {
		delete(s.dues, key(due))
	}
	return nil
}

// DueAt spares the table the questions about minutes without any pointer, which
// are most of them when a clock is moved by a month.
func (s *foreseen) DueAt(ctx context.Context, minute time.Time, shard int, position string, limit int) ([]webhook.Due, string, error) {
	if !s.hasDue(minute) {
		return nil, "", nil
	}
	return s.Store.DueAt(ctx, minute, shard, position, limit)
}

func (s *foreseen) hasDue(minute time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for due := range s.dues {
		if due.At.Truncate(time.Minute).Equal(minute) {
			return true
		}
	}
	return false
}

// key is the same for a pointer that was read as for the one written.
func key(due webhook.Due) webhook.Due {
	due.At = due.At.UTC().Truncate(time.Millisecond)
	return due
}

// NextDue is the earliest in the list.
func (s *foreseen) NextDue(context.Context) (next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for due := range s.dues {
		if next.IsZero() || due.At.Before(next) {
			next = due.At
		}
	}
	return next, nil
}
