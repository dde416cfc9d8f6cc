package tapedeck.bench.work;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tapedeck.ad.Ad;
import tapedeck.ad.Fn1;
import tapedeck.ad.JitFn1;
import tapedeck.ad.tensor.Tensor;

/**
 * European call options (Black and Scholes, 1973): the price; price and all first derivatives;
 * price and the five Greeks delta, vega, theta (here the derivative by the time to expiry), rho and
 * gamma, the last of which is a second derivative, by forward over reverse mode.
 */
public final class BlackScholes implements Workload {
  private static final double TOLERANCE = 1e-4;
  private static final List<String> NAMES = List.of("spot", "strike", "time", "rate", "volatility");

  /** Options, a vector of each quantity. */
  public record Options(Tensor spot, Tensor strike, Tensor time, Tensor rate, Tensor volatility) {}

  private record PriceAndGradient(Tensor price, Options gradient) {}

  private record Greeks(
      Tensor price, Tensor delta, Tensor vega, Tensor theta, Tensor rho, Tensor gamma) {}

  private final Map<String, HostTensor> data = new LinkedHashMap<>();

  public BlackScholes(int options) {
    data.put("black-scholes/spot", HostTensor.uniform(1, 80, 120, options));
    data.put("black-scholes/strike", HostTensor.uniform(2, 80, 120, options));
    data.put("black-scholes/time", HostTensor.uniform(3, 0.25, 2, options));
    data.put("black-scholes/rate", HostTensor.uniform(4, 0.01, 0.05, options));
    data.put("black-scholes/volatility", HostTensor.uniform(5, 0.1, 0.4, options));
  }

  @Override
  public String name() {
    return "black-scholes";
  }

  @Override
  public Map<String, HostTensor> data() {
    return data;
  }

  static Tensor price(Options o) {
    Tensor spread = o.volatility.mul(o.time.sqrt());
    Tensor drift = o.rate.add(o.volatility.square().mul(0.5)).mul(o.time);
    Tensor d1 = o.spot.div(o.strike).log().add(drift).div(spread);
    Tensor d2 = d1.sub(spread);
    Tensor discounted = o.strike.mul(o.rate.mul(o.time).neg().exp());
    return o.spot.mul(d1.normalCdf()).sub(discounted.mul(d2.normalCdf()));
  }

  private static PriceAndGradient gradient(Options o) {
    var v = Ad.vjp(BlackScholes::price, o);
    return new PriceAndGradient(v.value(), v.pullback().apply(v.value().onesLike()));
  }

  private static Greeks greeks(Options o) {
    Options along =
        new Options(
            o.spot.onesLike(),
            o.strike.zerosLike(),
            o.time.zerosLike(),
            o.rate.zerosLike(),
            o.volatility.zerosLike());
    var r = Ad.jvp((Fn1<Options, PriceAndGradient>) BlackScholes::gradient, o, along);
    Options g = r.value().gradient();
    return new Greeks(
        r.value().price(), g.spot, g.volatility, g.time, g.rate, r.tangent().gradient().spot);
  }

  @Override
  public List<Line> lines(Function<String, Tensor> operand) {
    List<Tensor> in = new ArrayList<>();
    NAMES.forEach(n -> in.add(operand.apply("black-scholes/" + n)));
    Options o = new Options(in.get(0), in.get(1), in.get(2), in.get(3), in.get(4));
    JitFn1<Options, Tensor> price = Ad.jit((Fn1<Options, Tensor>) BlackScholes::price);
    JitFn1<Options, PriceAndGradient> gradient =
        Ad.jit((Fn1<Options, PriceAndGradient>) BlackScholes::gradient);
    JitFn1<Options, Greeks> greeks = Ad.jit((Fn1<Options, Greeks>) BlackScholes::greeks);
    return List.of(
        Line.of("black-scholes/price", () -> List.of(price.apply(o)), price::schedule, TOLERANCE),
        Line.of(
            "black-scholes/gradient",
            () -> {
              PriceAndGradient r = gradient.apply(o);
              Options g = r.gradient();
              return List.of(r.price(), g.spot, g.strike, g.time, g.rate, g.volatility);
            },
            gradient::schedule,
            TOLERANCE),
        Line.of(
            "black-scholes/greeks",
            () -> {
              Greeks g = greeks.apply(o);
              return List.of(g.price, g.delta, g.vega, g.theta, g.rho, g.gamma);
            },
            greeks::schedule,
            TOLERANCE));
  }
}
