package setup

import (
	"context"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// fromLambda is the SDK's configuration, from the variables that Lambda sets. The
// SDK's own way also looks for profiles, single sign-on and instances, for which a
// function would carry the clients of four more services.
func fromLambda(log logging.Logger) aws.Config {
	keys := credentials.NewStaticCredentialsProvider(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"))
	c := aws.Config{
		Region: os.Getenv("AWS_REGION"), Credentials: aws.NewCredentialsCache(keys), Logger: log,
		ConfigSources: []any{endpoints{}},
	}
	if all, set := os.LookupEnv("AWS_ENDPOINT_URL"); set {
		c.BaseEndpoint = &all
	}
	return c
}

// endpoints are the addresses of services that the environment names, as the SDK
// asks for them.
type endpoints struct{}

// GetServiceBaseEndpoint returns AWS_ENDPOINT_URL_DYNAMODB, for instance.
func (endpoints) GetServiceBaseEndpoint(_ context.Context, service string) (url string, found bool, err error) {
	url, found = os.LookupEnv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_")))
	return url, found, nil
}
