package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/postino/postino/shared/api/httpapi"
)

// ownHosts answers 421 to requests that name another host than we are, as a
// browser does for a page whose name was made to point here (DNS rebinding). On
// loopback only, addresses and localhost are ours, the name that we were told to
// listen on, and the names given; on other addresses every name is, unless some
// are given.
func ownHosts(listening net.Addr, told string, names []string, next http.Handler) http.Handler {
	tcp, ok := listening.(*net.TCPAddr)
	if len(names) == 0 && !(ok && tcp.IP.IsLoopback()) {
		return next
	}
	names = append(slices.Clone(names), hostName(told))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostName(r.Host); !isOwn(host, names) {
			httpapi.Refuse(w, r, httpapi.HostNotServed.Problem(fmt.Sprintf(
				"The host %.100q is not one of this server's. Use localhost or an address, or start it with -hosts %.100s.", host, host)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName is a Host header without port, in lower case.
func hostName(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		header = host
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(header, "[]")), ".")
}

func isOwn(host string, names []string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil || slices.Contains(names, host)
}

// metricsKey is an [httpapi.Authenticator] of one more key beside the admin's.
type metricsKey struct {
	sum [sha256.Size]byte
	httpapi.Authenticator
}

// Authenticate compares in constant time.
func (m metricsKey) Authenticate(ctx context.Context, tenant, key string) (httpapi.Principal, bool, error) {
	if sum := sha256.Sum256([]byte(key)); subtle.ConstantTimeCompare(sum[:], m.sum[:]) == 1 {
		return httpapi.Principal{Role: httpapi.Admin}, true, nil
	}
	return m.Authenticator.Authenticate(ctx, tenant, key)
}

// metricsRoutes is the router of /metrics, for everybody unless there is a key
// for it.
func (s *Server) metricsRoutes() http.Handler {
	route := httpapi.Route{Method: http.MethodGet, Pattern: metricsPath, Roles: httpapi.Anyone, Handle: s.showMetrics}
	var auth httpapi.Authenticator = httpapi.NewAdminKey(s.adminKey)
	if s.config.MetricsKey != "" {
		route.Roles = httpapi.Admin
		auth = metricsKey{sha256.Sum256([]byte(s.config.MetricsKey)), auth}
	}
	return httpapi.NewRouter([]httpapi.Route{route}, auth, s.config.Log)
}
