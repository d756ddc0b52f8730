// Command ingest is the Lambda function that takes published events.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/awslambda"
	"github.com/postino/postino/shared/ingest"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_QUEUE_EVENTS", "POSTINO_ADMIN_KEY_SECRET")
	store := f.Store()
	stage := &ingest.Handler{
		Tenants: store,
		Types:   store,
		Events:  f.Queue("POSTINO_QUEUE_EVENTS"),
		Auth:    f.Authenticator(),
		Log:     f.Log,
	}
	lambda.Start(awslambda.HTTP(stage))
}
