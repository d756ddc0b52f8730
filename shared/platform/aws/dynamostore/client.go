package dynamostore

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	callTimeout  = 5 * time.Second // of one try; DynamoDB answers in milliseconds or not at all
	callTries    = 4               // with pauses of up to a second: what still fails then is the caller's to repeat
	longestPause = time.Second
	openConns    = 64 // kept to the one host, for a batch of deliveries posted concurrently
)

// Options sets deadline, retries and connections as the store wants them. Use
// it with [dynamodb.NewFromConfig].
func Options(o *dynamodb.Options) {
	o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(keepConnections)
	o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
		r.MaxAttempts, r.MaxBackoff = callTries, longestPause
	})
}

func keepConnections(t *http.Transport) {
	t.MaxIdleConns, t.MaxIdleConnsPerHost = openConns, openConns
}
