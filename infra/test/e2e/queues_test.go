package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/postino/postino/shared/platform/aws/sqsqueue"
)

// makeQueues makes those that are dead-letter queues first.
func (s *stack) makeQueues() {
	all := s.template.of("AWS::SQS::Queue")
	for _, hasPolicy := range []bool{false, true} {
		for id, r := range all {
			policy := r.Properties.RedrivePolicy
			if hasPolicy != (policy.MaxReceiveCount > 0) {
				continue
			}
			name := s.name + "-" + id
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

// backlog is the number of messages that are in a queue, also of those handed out.
func (s *stack) backlog(queue string) int {
	n, err := sqsqueue.New(s.sqs, s.queues[queue]).Backlog(s.t.Context())
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
