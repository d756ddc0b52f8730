package e2e

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// billedKiB is how much one billed request to SQS carries at most, in bytes.
const billedKiB = 64 << 10

// queueCall notes what SQS bills for a call: each 64 KiB that it carries.
func (m *meter) queueCall(e exchange) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		sent
		Entries []sent
	}
	var out struct{ Messages []types.Message }
	if json.Unmarshal(e.request, &in) != nil || json.Unmarshal(e.answer, &out) != nil {
		return
	}
	line := "sqs." + stageOf(in.QueueURL)
	switch e.operation {
	case "SendMessage", "SendMessageBatch":
		m.add(line+".send", chunks(sizeOf(append(in.Entries, in.sent))))
	case "ReceiveMessage":
		size := 0
		for _, message := range out.Messages {
			size += len(*message.Body)
		}
		if len(out.Messages) == 0 {
			return // polling, which is paid for whether there is traffic or not
		}
		m.add(line+".receive", chunks(size))
	case "DeleteMessageBatch", "DeleteMessage":
		m.add(line+".delete", 1)
	}
}

// sent is a message as a caller sends it.
type sent struct {
	Body  string `json:"MessageBody"`
	Group string `json:"MessageGroupId"`
}

func sizeOf(messages []sent) (size int) {
	for _, message := range messages {
		size += len(message.Body) + len(message.Group)
	}
	return size
}

// chunks is the number of requests that a call counts for.
func chunks(size int) float64 { return math.Max(1, math.Ceil(float64(size)/billedKiB)) }

// stageOf is the queue's name without the stack's, in lower case.
func stageOf(url string) string {
	for _, stage := range []string{"events", "deliveries", "retries", "resend", "exhausted"} {
		if strings.HasSuffix(strings.ToLower(url), "-"+stage) {
			return stage
		}
	}
	return "other"
}
