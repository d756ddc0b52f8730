// Package server runs every stage in one process, with local storage and
// queues, behind one address.
package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/bell"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/lifecycle"
	"github.com/postino/postino/shared/measure/metric"
	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/stage/fanout"
	"github.com/postino/postino/shared/stage/job"
	"github.com/postino/postino/shared/stage/sweep"
	"github.com/postino/postino/shared/webhook"
)

// Config says where and how a server runs.
type Config struct {
	Addr          string               // host:port to listen on; port 0 takes any
	Data          string               // folder of the database and keys; made if absent
	AdminKey      string               // empty takes, or makes, the one in Data
	MetricsKey    string               // beside the admin key the one that may read /metrics; empty lets everybody
	TLSCert       string               // file of the certificate, and of those that signed it; with TLSKey, requests come by https
	TLSKey        string               // file of its key
	Hosts         []string             // names that requests may call us, beside localhost and addresses; see ownHosts
	EgressAllow   string               // see [egress.ParseAllow]
	EgressPorts   string               // see [egress.ParsePorts]
	Resolver      string               // DNS server, host:port; empty for the system's
	SweepEvery    time.Duration        // 0 means a minute
	Skew          func() time.Duration // what the clock shows beyond the real one; nil means nothing
	Retention     webhook.Retention    // zero for [webhook.DefaultRetention]
	TestClock     bool                 // our clock stands still and is moved by POST /v1/clock
	Quota         webhook.Quota        // of each tenant; zero for [webhook.DefaultQuota]
	StrictTypes   bool                 // events of types that are not registered are refused
	StrictTenants bool                 // tenants that nobody made are refused
	MaxBacklog    int                  // messages that may wait before publishers are refused; 0 means no limit
	// MaxConnections may be open at a time; 0 means 4,096. To one more another
	// gives way, a stranger's first.
	MaxConnections int
	Store          Store  // nil for the one in Data, where queues are in any case
	Version        string // of Postino
	Log            *slog.Logger
}

// Server is a running Postino.
type Server struct {
	config   Config
	clock    Clock
	adminKey string
	listener net.Listener

	certificate *certificate // nil for requests in the clear
	http        *http.Server
	db          *engine.DB
	store       Store
	queues      *localqueue.Set
	byName      map[string]*localqueue.Queue
	fanout      *fanout.Fanout
	client      *http.Client // for callbacks
	delivery    *delivery.Deliverer
	bells       bell.Bells
	sweep       *sweep.Sweeper
	metrics     metric.Registry
	stats       stats.Recorder
	results     results.Recorder
	moving      sync.Mutex // held while the test clock moves
	stop        context.CancelFunc
	done        sync.WaitGroup
}

// Start opens the data and begins to serve. What an earlier process left
// undone goes on.
func Start(ctx context.Context, c Config) (_ *Server, err error) {
	if c.Retention == (webhook.Retention{}) {
		c.Retention = webhook.DefaultRetention
	}
	if err := c.Retention.Check(); err != nil {
		return nil, err
	}
	if c.Quota == (webhook.Quota{}) {
		c.Quota = webhook.DefaultQuota
	}
	s := &Server{config: c, clock: Clock{skew: c.Skew}}
	if s.certificate, err = openCertificate(c); err != nil {
		return nil, err
	}
	sealer, err := openSealer(c.Data)
	if err != nil {
		return nil, err
	}
	if c.TestClock {
		s.clock.set(time.Now().Truncate(time.Millisecond))
	}
	if s.db, err = engine.Open(c.Data); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.db.Close()
		}
	}()
	if err = s.proveSealer(ctx, sealer); err != nil {
		return nil, err
	}
	if s.store = c.Store; s.store == nil {
		store := localstore.In(s.db)
		store.Retention = c.Retention.All
		s.store = store
	}
	if err = s.openQueues(ctx); err != nil {
		return nil, err
	}
	if s.adminKey, err = adminKey(c); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", c.Addr); err != nil {
		return nil, err
	}
	s.listener = s.secured(limited(s.listener, cmp.Or(c.MaxConnections, maxConnections)))
	if err = s.wire(sealer); err != nil {
		s.listener.Close()
		return nil, err
	}
	if err = s.run(); err != nil {
		s.listener.Close()
		return nil, err
	}
	return s, nil
}

// wire builds the stages upon storage and queues.
func (s *Server) wire(sealer *secret.Sealer) error {
	allow, err := egress.ParseAllow(s.config.EgressAllow)
	if err != nil {
		return err
	}
	ports, err := egress.ParsePorts(s.config.EgressPorts)
	if err != nil {
		return err
	}
	guard := &egress.Guard{Allow: allow, Ports: ports, OwnHosts: []string{s.listener.Addr().String()}, ResolverAddress: s.config.Resolver}
	s.stats.Store, s.stats.Now, s.stats.Log = s.store, s.clock.Now, s.config.Log
	s.results.Store, s.results.Now, s.results.Log = s.store, s.clock.Now, s.config.Log
	s.fanout = &fanout.Fanout{
		Store: s.store, Events: s.byName["events"], Deliveries: s.byName["deliveries"], Retention: s.config.Retention,
		Now: s.clock.Now, Count: s.metrics.Count, Ended: s.stats.Ended, Results: &s.results, Log: s.config.Log,
	}
	s.client = egress.NewClient(egress.NewTransport(guard, nil))
	s.delivery = &delivery.Deliverer{
		Store: s.store, Retries: s.byName["retries"], Resend: s.byName["resend"], Exhausted: s.byName["exhausted"], Events: s.byName["events"],
		Offered: s.bells.Ring, Client: s.client, Private: egress.NewPool(guard), Class: egress.Class, Secrets: sealer,
		Now: s.clock.Now, Count: s.metrics.Count, Observe: s.metrics.Observe, Stats: &s.stats, Results: &s.results, Version: s.config.Version, Log: s.config.Log,
		Jobs: &job.Worker{
			Store: s.store, Resend: s.byName["resend"], Retries: s.byName["retries"], Events: s.byName["events"], Counter: s.counter(), Secrets: sealer, Now: s.clock.Now, Log: s.config.Log,
		},
	}
	s.sweep = &sweep.Sweeper{
		Store: s.store, Retries: s.byName["retries"], Resend: s.byName["resend"], Events: s.byName["events"],
		Now: s.clock.Now, Count: s.metrics.Count, Observe: s.metrics.Observe, Log: s.config.Log,
	}
	s.http = &http.Server{
		Handler:           s.routes(guard, sealer),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ConnContext:       withConnection,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	return nil
}

// counter counts deliveries that end, for stages that count nothing else.
func (s *Server) counter() lifecycle.Counter {
	return lifecycle.Counter{Count: s.metrics.Count, Stats: s.stats.Ended}
}

// run starts what works by itself.
func (s *Server) run() error {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	if err := s.consume(ctx); err != nil {
		return err
	}
	s.done.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("serve", "error", err)
		}
	})
	s.done.Go(func() { s.storeStats(ctx) })
	if !s.config.TestClock { // which sweeps as it moves
		s.done.Go(func() { s.sweepEachMinute(ctx) })
		s.done.Go(func() { s.pruneNowAndThen(ctx) })
	}
	return nil
}

func (s *Server) sweepEachMinute(ctx context.Context) {
	every := s.config.SweepEvery
	if every == 0 {
		every = time.Minute
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.sweep.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Error("sweep", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// storeStats stores what was counted, now and then.
func (s *Server) storeStats(ctx context.Context) {
	const every = 10 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.stats.Close(ctx)
			s.results.Close(ctx)
		}
	}
}

// URL returns the server's address as http://host:port, or https.
func (s *Server) URL() string {
	scheme := "http://"
	if s.certificate != nil {
		scheme = "https://"
	}
	return scheme + s.listener.Addr().String()
}

// AdminKey returns the key that may do everything.
func (s *Server) AdminKey() string { return s.adminKey }

// KeyFile returns the file that holds the admin key; "" if it was configured.
func (s *Server) KeyFile() string {
	if s.config.AdminKey != "" {
		return ""
	}
	return keyFile(s.config.Data)
}

// Close takes no more requests, lets the work in hand end until ctx does, and
// closes the data. What is left undone goes on at the next start.
func (s *Server) Close(ctx context.Context) error {
	s.bells.Close()
	err := s.http.Shutdown(ctx)
	err = errors.Join(err, s.queues.Close(ctx)) // before stop, which ends what handlers do
	s.stop()
	s.done.Wait()
	s.client.CloseIdleConnections()
	s.stats.Close(ctx)
	s.results.Close(ctx)
	return errors.Join(err, s.db.Close())
}

func keyFile(data string) string { return filepath.Join(data, "admin.key") }

// adminKey returns the configured key, or the one in the data folder, which
// the first start makes.
func adminKey(c Config) (string, error) {
	if c.MetricsKey != "" {
		if err := httpapi.CheckAdminKey(c.MetricsKey); err != nil {
			return "", fmt.Errorf("POSTINO_METRICS_KEY: %w", err)
		}
	}
	if c.AdminKey != "" {
		if err := httpapi.CheckAdminKey(c.AdminKey); err != nil {
			return "", fmt.Errorf("POSTINO_ADMIN_KEY: %w", err)
		}
		return c.AdminKey, nil
	}
	text, err := secret.File(keyFile(c.Data), func() ([]byte, error) { return []byte(rand.Text() + "\n"), nil })
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", fmt.Errorf("%s is empty: remove it to have a new key made", keyFile(c.Data))
	}
	if err := httpapi.CheckAdminKey(key); err != nil {
		return "", fmt.Errorf("%s: %w", keyFile(c.Data), err)
	}
	return key, nil
}
