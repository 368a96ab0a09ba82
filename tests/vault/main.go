// Copyright: Contributors to the immutable.ec2 project
// GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command vault is a real Vault for the tests: Vault's own core and HTTP API, its data in memory, with the KV secrets
// engine and the AppRole and AWS auth methods. Vault's main package is not used, since it brings every storage and
// plugin with it and takes many times as long to build.
//
// It prints one line of JSON, {"address", "token", "key"}, once it answers: key is what unseals it after a seal.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/builtin/credential/approle"
	awsauth "github.com/hashicorp/vault/builtin/credential/aws"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

type factories = map[string]logical.Factory

var (
	engines = factories{"kv": kv.Factory}
	methods = factories{"approle": approle.Factory, "aws": awsauth.Factory}
)

// registry tells the core which plugins are compiled in.
type registry struct{}

func (registry) of(kind consts.PluginType) factories {
	switch kind {
	case consts.PluginTypeSecrets:
		return engines
	case consts.PluginTypeCredential:
		return methods
	}
	return nil
}

func (r registry) Contains(name string, kind consts.PluginType) bool {
	return r.of(kind)[name] != nil
}

func (r registry) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory, found := r.of(kind)[name]
	return func() (interface{}, error) { return factory, nil }, found
}

func (r registry) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range r.of(kind) {
		names = append(names, name)
	}
	return names
}

func (r registry) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, r.Contains(name, kind)
}

func (registry) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address and port")
	flag.Parse()
	core, made, err := unsealed()
	if err != nil {
		log.Fatalln("vault:", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatalln("vault:", err)
	}
	ready := map[string]string{
		"address": "http://" + listener.Addr().String(),
		"token":   made.RootToken,
		"key":     base64.StdEncoding.EncodeToString(made.SecretShares[0]),
	}
	if err := json.NewEncoder(os.Stdout).Encode(ready); err != nil {
		log.Fatalln("vault:", err)
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{Address: listener.Addr().String()},
	})
	log.Fatalln("vault:", http.Serve(listener, handler))
}

// unsealed returns a core that answers, its root token and the key that unseals it again.
func unsealed() (*vault.Core, *vault.InitResult, error) {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, nil, err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		BuiltinRegistry:    registry{},
		CredentialBackends: methods,
		DisableMlock:       true,
		LogicalBackends:    engines,
		Logger:             logger,
		Physical:           storage,
	})
	if err != nil {
		return nil, nil, err
	}
	made, err := core.Initialize(context.Background(), &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return nil, nil, err
	}
	_, err = core.Unseal(made.SecretShares[0])
	return core, made, err
}
