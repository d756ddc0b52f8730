package dynamostore

import (
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
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
	o.Retryer = retry.NewStandard(retries)
}

func retries(r *retry.StandardOptions) { r.MaxAttempts, r.MaxBackoff = callTries, longestPause }

// toldOfThrottles is for a call that is throttled: its caller repeats it, once it
// has read again. What got lost is repeated as ever.
func toldOfThrottles(o *dynamodb.Options) { o.Retryer = butNotThrottled }

var butNotThrottled = retry.NewStandard(retries, func(r *retry.StandardOptions) {
	r.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
		var api smithy.APIError
		if errors.As(err, &api) && refused[api.ErrorCode()] {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	})}, r.Retryables...)
})

func keepConnections(t *http.Transport) {
	t.MaxIdleConns, t.MaxIdleConnsPerHost = openConns, openConns
}
