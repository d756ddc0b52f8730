package sqsqueue_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/postino/postino/infra/tools/testserver"
	"github.com/postino/postino/shared/platform/aws/sqsqueue"
	"github.com/postino/postino/shared/queue/queuetest"
)

func newClient(t testing.TB) *sqs.Client {
	t.Helper()
	return sqs.New(sqs.Options{
		Region:       testserver.Region,
		BaseEndpoint: aws.String(testserver.SQS(t)),
		Credentials:  credentials.NewStaticCredentialsProvider(testserver.AccessKey, testserver.SecretKey, ""),
	})
}

var queues atomic.Int64 // made so far

// create makes a queue of its own for the test.
func create(t testing.TB, client *sqs.Client, attributes map[string]string) (url, arn string) {
	t.Helper()
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{
		QueueName: aws.String(fmt.Sprint("test-", queues.Add(1))), Attributes: attributes,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: out.QueueUrl, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.QueueUrl, got.Attributes["QueueArn"]
}

func TestQueue(t *testing.T) {
	client := newClient(t)
	arns := map[queuetest.Queue]string{}
	names := make(chan struct{}, 1) // guards arns
	queuetest.Suite{
		Open: func(t *testing.T, o queuetest.Options) (q, dead queuetest.Queue) {
			visibility := strconv.Itoa(int(o.Visibility / time.Second))
			deadURL, deadARN := create(t, client, map[string]string{"VisibilityTimeout": visibility})
			// A queue without a limit has one nevertheless: only dead-letter queues can be moved from.
			limit := o.MaxReceive
			if limit == 0 {
				limit = 1000
			}
			url, arn := create(t, client, map[string]string{
				"VisibilityTimeout": visibility,
				"RedrivePolicy":     fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, deadARN, limit),
			})
			q, dead = sqsqueue.New(client, url), sqsqueue.New(client, deadURL)
			names <- struct{}{}
			arns[q], arns[dead] = arn, deadARN
			<-names
			return q, dead
		},
		Move: func(t *testing.T, from, to queuetest.Queue, _ int) int {
			names <- struct{}{}
			source, destination := arns[from], arns[to]
			<-names
			before, err := from.Backlog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{
				SourceArn: &source, DestinationArn: &destination,
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 100 {
				if left, err := from.Backlog(t.Context()); err != nil || left == 0 {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			return before
		},
	}.Run(t)
}
