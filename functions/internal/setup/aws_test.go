package setup

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"
)

// TestTheConfigurationIsAsTheSDKReadsIt: of what Lambda sets, and of the addresses
// by which tests name their servers.
func TestTheConfigurationIsAsTheSDKReadsIt(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
		"AWS_ENDPOINT_URL_DYNAMODB": "http://table.example", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://secrets.example", "AWS_ENDPOINT_URL": "http://all.example",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	got := fromLambda(nil)
	want, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantKeys, err := want.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gotKeys, err := got.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gotKeys.Source, wantKeys.Source = "", ""
	if diff := cmp.Diff(wantKeys, gotKeys); diff != "" || got.Region != want.Region {
		t.Errorf("region %s, want %s; credentials (-want +got):\n%s", got.Region, want.Region, diff)
	}
	if a, b := dynamodb.NewFromConfig(got).Options(), dynamodb.NewFromConfig(want).Options(); *a.BaseEndpoint != *b.BaseEndpoint || a.RetryMaxAttempts != b.RetryMaxAttempts || a.RetryMode != b.RetryMode {
		t.Errorf("the table is at %s with %d tries, %v; want %s, %d, %v", *a.BaseEndpoint, a.RetryMaxAttempts, a.RetryMode, *b.BaseEndpoint, b.RetryMaxAttempts, b.RetryMode)
	}
	if a, b := secretsmanager.NewFromConfig(got).Options(), secretsmanager.NewFromConfig(want).Options(); *a.BaseEndpoint != *b.BaseEndpoint {
		t.Errorf("secrets are at %s, want %s", *a.BaseEndpoint, *b.BaseEndpoint)
	}
}
