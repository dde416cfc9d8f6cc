/** TornadoVM backend of Tapedeck: the devices of TornadoVM's drivers. */
module tapedeck.tornado {
  requires transitive tapedeck.engine;
  requires tornado.api;

  exports tapedeck.tornado;

  provides tapedeck.ad.backend.BackendProvider with
      tapedeck.tornado.TornadoProvider;
}
