// Package outgoing says where callbacks of a function may go.
package outgoing

import (
	"fmt"
	"os"
	"strings"

	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/callback/egress"
)

// hosts are the names in a list with commas, in which a stack without a domain
// of its own leaves the last one empty.
func hosts(list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Guard is the egress guard that POSTINO_EGRESS_ALLOW, POSTINO_EGRESS_PORTS and
// POSTINO_API_HOST describe.
func Guard(f *setup.Function) *egress.Guard {
	allow, err := egress.ParseAllow(f.Value("POSTINO_EGRESS_ALLOW"))
	if err != nil {
		setup.Fail(fmt.Errorf("POSTINO_EGRESS_ALLOW: %w", err))
	}
	ports, err := egress.ParsePorts(f.Value("POSTINO_EGRESS_PORTS"))
	if err != nil {
		setup.Fail(fmt.Errorf("POSTINO_EGRESS_PORTS: %w", err))
	}
	return &egress.Guard{
		Allow:       allow,
		Ports:       ports,
		OwnHosts:    hosts(f.Value("POSTINO_API_HOST")),
		RuntimeAPI:  os.Getenv("AWS_LAMBDA_RUNTIME_API"),
		Setting:     "the stack's parameter EgressAllow",
		PortSetting: "its parameter EgressPorts",
	}
}
