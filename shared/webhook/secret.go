package webhook

import "time"

// NamedSecret is a tenant's secret that subscriptions mention by its name.
type NamedSecret struct {
	Tenant    string
	Name      string
	Sealed    []byte // by secret.Sealer, additional data (tenant, "secrets", name)
	UpdatedAt time.Time
}
